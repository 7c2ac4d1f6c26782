// The line above the view: the state of the run, its progress, its speed.

import { make } from "../lib/dom.js";
import { aboutText, stepText, waitText } from "../lib/numbers.js";

export function drawHeader(part, news) {
  part.status.dataset.status = news.status;
  part.status.textContent = news.waits ? waitText(news.waits) : news.status;
  part.message.textContent = news.message;
  part.message.hidden = !news.message;
  const share = news.totalSteps ? news.step / news.totalSteps : 0;
  part.track.firstChild.style.width = `${100 * share}%`;
  part.track.setAttribute("aria-valuenow", Math.round(100 * share));
  part.progress.replaceChildren(...progress(news));
  part.speedNow.textContent = news.imagesPerSecond
    ? `${Math.round(news.imagesPerSecond).toLocaleString("en")} images/s`
    : "";
  part.speedNow.title = news.device;
}

/** Nothing is known yet of the run. */
export function drawWaiting(part) {
  part.status.dataset.status = "";
  part.status.textContent = "…";
  part.message.hidden = true;
  part.track.firstChild.style.width = 0;
  part.track.setAttribute("aria-valuenow", 0);
  part.progress.textContent = part.speedNow.textContent = "";
}

const GONE = {
  lost: "The connection to the server is lost: trying again.",
  gone: "This run is over and forgotten: press Start for a new one.",
  refused: `The server takes this page for another site's: it has to be started with ELBO_ROOM_ORIGINS=${location.origin}`,
};

/** There is no connection: "lost"; "gone" or "refused" for good. */
export function drawLost(part, state) {
  part.status.textContent = part.status.dataset.status = state;
  part.message.textContent = GONE[state];
  part.message.hidden = false;
}

/** Epoch, step, time left. */
function progress({ step, stepsPerEpoch, totalSteps, imagesPerSecond, config, waits }) {
  if (!totalSteps) return [];
  const epochs = config.steps ? (totalSteps / stepsPerEpoch).toFixed(1) : config.epochs;
  const seconds = imagesPerSecond && !waits ? ((totalSteps - step) * config.batch_size) / imagesPerSecond : 0;
  return [
    `epoch ${(step / stepsPerEpoch).toFixed(1)} of ${epochs}`,
    make("span", { className: "steps", textContent: ` · ${stepText(step)}` }),
    seconds ? ` · ${aboutText(seconds)} left` : "",
  ];
}
