// What can be saved of a path: both strips as a picture, an animation, the codes with their distances as a table.

import { gapText, NAMES } from "./path_lane.js";
import { animation, sheet, table } from "./path_sheet.js";

const FRAMES = 48; // of the animation, one way
const COLUMNS = ["model", "t", "z", "usual_gaps_to_nearest_code", "nearest_test_image", "pixel_distance"];

/** As files.js asks for it, made only then; lanes: the strips that are shown, all of them decoded. */
export function pathFiles(app, lanes, state) {
  const [{ path }] = lanes;
  return {
    png: () => sheet(lanes.map((lane) => row(lane, state, app.set.labels)), app.colours),
    gif: async () => animation(await app.background.decode("saved path", path.codesOf(FRAMES))),
    csv: () => table(COLUMNS, path.dims, lanes.flatMap(records)),
  };
}

function row({ found: { about }, path, pictures, gaps }, { images, shape }, labels) {
  const stops = images.map((i) => `test image ${i}, a ${labels[i]}`).join(" to ");
  const title = `${NAMES[about.model]} ${about.name}: ${stops}, ${shape}${about.model === "vae" ? ", from mu" : ""}`;
  return { title, count: path.count, pictures, texts: gaps.map((g) => `${gapText(g)} gaps`) };
}

function records({ found, path, gaps, near }) {
  return gaps.map((gap, k) => ({
    model: found.about.name, t: k / (path.count - 1), z: path.z(path.placeOf(k)), usual_gaps_to_nearest_code: gap,
    nearest_test_image: near[k]?.index, pixel_distance: near[k]?.distance,
  }));
}
