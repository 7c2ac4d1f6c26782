// The line above the view: the state of the run, its progress, its speed.

import { aboutText, stepText, waitText } from "../lib/numbers.js";

export function drawHeader(part, news) {
  part.status.dataset.status = news.status;
  part.status.textContent = news.waits ? waitText(news.waits) : news.status;
  part.message.textContent = news.message;
  part.message.hidden = !news.message;
  const share = news.totalSteps ? news.step / news.totalSteps : 0;
  part.track.firstChild.style.width = `${100 * share}%`;
  part.track.setAttribute("aria-valuenow", Math.round(100 * share));
  part.progress.textContent = progress(news);
  part.speedNow.textContent = news.imagesPerSecond
    ? `${Math.round(news.imagesPerSecond).toLocaleString("en")} images/s`
    : "";
  part.speedNow.title = news.device;
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

function progress({ step, stepsPerEpoch, totalSteps, imagesPerSecond, config, waits }) {
  if (!totalSteps) return "";
  const epochs = config.steps ? (totalSteps / stepsPerEpoch).toFixed(1) : config.epochs;
  const text = `epoch ${(step / stepsPerEpoch).toFixed(1)} of ${epochs} · ${stepText(step)}`;
  if (!imagesPerSecond || waits) return text;
  const seconds = ((totalSteps - step) * config.batch_size) / imagesPerSecond;
  return `${text} · ${aboutText(seconds)} left`;
}
