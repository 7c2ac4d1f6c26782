// The frame of the passage: x, the plane of codes, x̂, the two terms, and the film.

const CHIPS = Array.from(
  { length: 10 },
  (_, digit) => `<button data-digit="${digit}" aria-label="a test image of a ${digit}">${digit}</button>`,
).join("");

const term = (name, sign, says, unit = "nats") => `
  <div class="term ${name}">
    <p><b>${sign} <output data-part="${name}">–</output></b> ${unit}</p>
    <canvas class="curve" data-part="${name}Curve" role="img" aria-label="${sign} over the steps of the training"></canvas>
    <p>${says}</p>
  </div>`;

export const HTML = `
<progress class="coming" data-part="bar" max="1" aria-label="the model is on its way" hidden></progress>
<div class="way">
  <figure class="x">
    <div class="paper"><canvas data-part="paper" tabindex="0" role="application" aria-label="the image x: draw a digit here with mouse, finger or pen; Control and Z takes the last stroke back"></canvas></div>
    <figcaption><b>x</b> <span data-part="source">…</span></figcaption>
    <div class="row" role="group" aria-label="a test image of a digit">${CHIPS}</div>
    <div class="row"><button data-part="another">Another</button><button data-part="undo" hidden>Undo</button><button data-part="clear">Draw a digit</button></div>
  </figure>
  <p class="arrow"><b>encoder</b><span aria-hidden="true">⟶</span>q(z | x)</p>
  <figure class="plane">
    <div class="map"><canvas class="square" data-part="map" role="img" aria-label="codes of 5,000 test images by class"></canvas><canvas class="over" data-part="over" tabindex="0" role="application" aria-label="the cloud q(z | x): drag it, or move it with the arrow keys; Home brings it back to where the encoder puts it; in the film they show what was decoded nearby"></canvas></div>
    <figcaption><b>z = <output data-part="z">…</output></b> <span data-part="place"></span> <button data-part="back" hidden>Back to the encoder's</button></figcaption>
    <p class="note" data-part="note"></p>
  </figure>
  <p class="arrow"><b>decoder</b><span aria-hidden="true">⟶</span>p(x | z)</p>
  <figure class="xHat">
    <canvas class="images" data-part="xHat" width="28" height="28" role="img" aria-label="the decoder's picture at z"></canvas>
    <figcaption><b>x̂</b> <span data-part="from">decoded from z</span></figcaption>
    <div class="row"><button data-part="anew">New sample</button></div>
  </figure>
</div>
<div class="film">
  <button class="play" data-part="play" aria-label="play the film">▶</button>
  <input type="range" min="0" max="0" value="0" data-part="scrub" aria-label="step of the training">
  <output data-part="moment">trained</output>
  <button data-part="toLive" disabled>Trained</button>
</div>
<div class="sum" data-part="sum">
  ${term("reconstruction", "reconstruction", "−log p(x | z): how badly x̂ explains x", "[[nats]]")}
  <i>+</i>
  ${term("kl", "KL", "how far the cloud is from the [[prior]] [[N(0, I)]]")}
  <i>=</i>
  ${term("total", "−ELBO", "what training makes small")}
</div>
<p class="note" data-part="whose"></p>
<p class="warning" data-part="message" role="status" hidden></p>`;
