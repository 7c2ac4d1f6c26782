// The elements of the way Arithmetic.

import { REACH } from "./math.js";

export const HTML = `
<div class="row" role="group" aria-label="what is added">
  <button data-mode="attribute">Attribute vectors</button>
  <button data-mode="means">Class means</button>
  <button data-mode="difference">Difference of two</button>
</div>
<div class="choice" data-part="attribute"></div>
<div class="choice" data-part="means"></div>
<div class="choice three" data-part="difference"></div>
<div class="along" data-part="along">
  <div class="scroll"><div class="inner" data-part="inner">
    <section class="lane"><p class="title"><b>Strength −2 to 2</b> <span data-part="under"></span></p><div data-part="film"></div></section>
    <div class="seek"><input type="range" min="${-REACH}" max="${REACH}" step="0.01" data-part="strength" aria-label="strength"></div>
  </div></div>
  <div class="both">
    <div class="now"><h3>Strength <output data-part="value"></output> <button data-part="none">To 0</button></h3><div class="figures" data-part="figures"></div></div>
    <table data-part="table"></table>
  </div>
</div>
<p><small data-part="note"></small></p>`;
