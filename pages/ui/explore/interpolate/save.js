// What can be saved of a path: both strips as a picture, an animation, the codes with their distances as a table.

import { imageName } from "../shared/classes.js";
import { ratioText } from "../shared/near.js";
import { modelName } from "../shared/numbers.js";
import { sheet, table, thereAndBack } from "../shared/saved.js";

const FRAMES = 48; // of the animation, one way
const COLUMNS = ["model", "t", "z", "distance_to_nearest_code", "near_radius", "nearest_test_image", "pixel_distance"];

/** As files.js asks for it, made only then; lanes: the strips that are shown, all of them decoded. */
export function pathFiles(found, lanes, state, colours) {
  const [{ path }] = lanes;
  return {
    png: () =>
      sheet(
        lanes.map((lane) => row(lane, state)),
        colours,
      ),
    gif: async () => {
      const pictures = await found.background.decode("saved path", path.codesOf(FRAMES));
      return pictures && thereAndBack(pictures); // null: another model has come meanwhile
    },
    csv: () => table(COLUMNS, path.dims, lanes.flatMap(records)),
  };
}

function row({ found, path, pictures, ratios }, { images, shape }) {
  const { about } = found;
  const stops = images.map((i) => imageName(i, found.set)).join(" to ");
  const title = `${about.title}: ${stops}, ${shape}${about.posterior ? ", from mu" : ""}`;
  return { title, count: path.count, pictures, texts: ratios.map((ratio) => `${ratioText(ratio)} radii`) };
}

function records({ found, path, ratios, radius, near }) {
  return ratios.map((ratio, k) => ({
    model: modelName(found.about),
    t: k / (path.count - 1),
    z: path.z(path.placeOf(k)),
    distance_to_nearest_code: ratio * radius,
    near_radius: radius,
    nearest_test_image: near[k] && found.set.numbers[near[k].index],
    pixel_distance: near[k]?.distance,
  }));
}
