// The ways to explore, by their names in the link. A way is a class; what it takes and may have:
//   constructor(root, place, view, page)   its section; the z of the page (place.js); the map (map_view.js); and
//       page { change(partial): its part of the state, told at rest; ask(): a frame; refresh(): other files to save;
//              hold(): nothing is told yet; ready: whether a model is there; colours }
//   load(found, linked)        another model (shared/found.js); linked: z is that of a link to this way
//   show(state)                its part of the state
//   draw(ctx, at, scale, colours)          over the map
//   files()                    what there is to save, see files.js, or null
//   and may have: moved(z, picture), press(xy, code), click(z), near(xy), keyDown(key), restyle(), destroy()

import { cleanArithmetic } from "./arithmetic/math.js";
import { ArithmeticWay } from "./arithmetic/way.js";
import { cleanEncode } from "./encode/math.js";
import { EncodeWay } from "./encode/way.js";
import { cleanInterpolate } from "./interpolate/path.js";
import { InterpolateWay } from "./interpolate/way.js";
import { cleanLabels } from "./labels/math.js";
import { LabelsWay } from "./labels/way.js";
import { PadWay } from "./pad/way.js";
import { PriorWay, cleanPrior } from "./prior/way.js";
import { cleanPad } from "./state.js";
import { TraverseWay, cleanTraverse } from "./traverse/way.js";

export const WAYS = {
  pad: PadWay,
  encode: EncodeWay,
  interpolate: InterpolateWay,
  arithmetic: ArithmeticWay,
  traverse: TraverseWay,
  prior: PriorWay,
  labels: LabelsWay,
};
export const CLEAN = {
  pad: cleanPad,
  encode: cleanEncode,
  interpolate: cleanInterpolate,
  arithmetic: cleanArithmetic,
  traverse: cleanTraverse,
  prior: cleanPrior,
  labels: cleanLabels,
};
