// The ways to explore, by their names in the link.

import { ArithmeticWay, clean as cleanArithmetic } from "./arithmetic.js";
import { clean as cleanEncode, EncodeWay } from "./encode.js";
import { clean as cleanInterpolate, InterpolateWay } from "./interpolate.js";
import { PadWay } from "./pad.js";
import { cleanPrior, PriorWay } from "./prior.js";
import { cleanPad } from "./state.js";
import { cleanTraverse, TraverseWay } from "./traverse.js";

export const WAYS = {
  pad: PadWay,
  encode: EncodeWay,
  interpolate: InterpolateWay,
  arithmetic: ArithmeticWay,
  traverse: TraverseWay,
  prior: PriorWay,
};
export const CLEAN = {
  pad: cleanPad,
  encode: cleanEncode,
  interpolate: cleanInterpolate,
  arithmetic: cleanArithmetic,
  traverse: cleanTraverse,
  prior: cleanPrior,
};
