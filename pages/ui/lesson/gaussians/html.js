// The elements of the Gaussians view.

import * as kl from "./kl.js";
import { BOUNDS } from "./state.js";

export const HTML = `
<div class="gaussians">
  <section class="curves">
    <h3><b class="q">q</b> and <b class="p">p</b> <small>drag a curve to move its mean, a point at ±1 std to change its width</small></h3>
    <div data-part="densities"></div>
    <p class="row" role="group" aria-label="integrand shown">
      <span>KL is the area under</span>
      <button data-shown="qp" aria-pressed="true">q log(q/p)</button> <button data-shown="pq" aria-pressed="false">p log(p/q)</button>
    </p>
    <div data-part="integrand"></div>
    <p class="areas" data-part="areas"></p>
    <p class="note">Keyboard: Tab to a point, the arrow keys move it, with Shift in fine steps.</p>
  </section>
  <section class="numbers">
    <h3>The two directions <small>in nats</small></h3>
    <table>
      <thead><tr><td></td><th scope="col">KL(q‖p)</th><th scope="col">KL(p‖q)</th></tr></thead>
      <tbody>
        <tr class="main"><th scope="row">closed form</th><td><output data-part="exact_qp"></output></td><td><output data-part="exact_pq"></output></td></tr>
        <tr><th scope="row">Monte Carlo</th><td><output data-part="mean_qp"></output></td><td><output data-part="mean_pq"></output></td></tr>
        <tr><th scope="row">its standard error (SE)</th><td><output data-part="error_qp"></output></td><td><output data-part="error_pq"></output></td></tr>
        <tr><th scope="row">off by</th><td><output data-part="judged_qp"></output></td><td><output data-part="judged_pq"></output></td></tr>
      </tbody>
    </table>
    <label>draws S = <b data-part="drawsNow" aria-hidden="true"></b>
      <input type="range" min="${BOUNDS.log2Draws[0]}" max="${BOUNDS.log2Draws[1]}" step="1" data-part="log2_draws"></label>
    <p class="row"><button data-part="again">New draws</button> <span>seed <output data-part="seed"></output></span></p>
    <p class="note">✓ up to ${kl.BELIEVABLE} SE. A right estimate lies further off about once in 370 times, with few draws more often.</p>
    <h3>One latent dimension against the prior</h3>
    <p class="formula">KL(q ‖ N(0, 1)) = ½ (mu² + std² − 1 − log std²)</p>
    <div class="terms" data-part="terms"></div>
    <p class="note">q is the curve on this page: mu = <output data-part="mu"></output>, std = <output data-part="sigma"></output>. The KL term of a VAE is this sum over its latent dimensions.</p>
  </section>
  <section class="curves">
    <h3>One Gaussian for two bumps <small>forward and reverse fit</small></h3>
    <div data-part="fits"></div>
    <p class="see" data-part="see"></p>
  </section>
  <section class="numbers">
    <h3>The two fits <small>KL in nats, by quadrature</small></h3>
    <table class="fits">
      <thead><tr><td></td><th scope="col">mean</th><th scope="col">std</th><th scope="col">KL(p‖q)</th><th scope="col">KL(q‖p)</th></tr></thead>
      <tbody>
        <tr><th scope="row" class="forward">min KL(p‖q)</th><td><output data-part="forward_mu"></output></td><td><output data-part="forward_std"></output></td><td><output data-part="forward_forward"></output></td><td><output data-part="forward_reverse"></output></td></tr>
        <tr><th scope="row" class="q">min KL(q‖p)</th><td><output data-part="reverse_mu"></output></td><td><output data-part="reverse_std"></output></td><td><output data-part="reverse_forward"></output></td><td><output data-part="reverse_reverse"></output></td></tr>
      </tbody>
    </table>
    <p class="note">▾ the smaller one of its column. Reverse fit: <output data-part="steps"></output>.</p>
    <p class="row" role="group" aria-label="start of the descent"><span>start from</span>
      <button data-start="left">left</button> <button data-start="right">right</button> <button data-start="q">your q</button></p>
    <label>distance of the bumps <b data-part="distanceNow" aria-hidden="true"></b><input type="range" min="0" max="8" step="0.1" data-part="distance"></label>
    <label>std of the left bump <b data-part="leftNow" aria-hidden="true"></b><input type="range" min="0.3" max="1.5" step="0.05" data-part="left"></label>
    <label>std of the right bump <b data-part="rightNow" aria-hidden="true"></b><input type="range" min="0.3" max="1.5" step="0.05" data-part="right"></label>
  </section>
</div>`;
