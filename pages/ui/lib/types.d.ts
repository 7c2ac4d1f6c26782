// The records that the browser code hands about, known to tsc everywhere by these names. Nothing of this runs.

/** A place of a plane, or a direction in it. */
type Point = [number, number];

/** A vector: a z, a place, a row of numbers. */
type Numbers = number[] | Float32Array | Float64Array;

/** From units of a map to pixels of its canvas. */
type ToPixels = (place: Numbers) => Point;

/** An array of a message or a file; `data` is as long as the product of `shape`. */
interface Tensor<Data = any> {
  shape: number[];
  data: Data;
}
type Tensors = Record<string, Tensor>;

/** What a package says of its model: vae_core/export writes it. */
interface About {
  name: string;
  model: "vae" | "ae";
  net: "mlp" | "conv";
  dims: number;
  [more: string]: any;
}

/** What the encoder makes of an image; logVar is null where the code is no distribution. */
interface Code {
  mu: Float32Array;
  logVar: Float32Array | null;
}

/** Both networks of a model: of one image at a time, 784 values in [0, 1]. */
interface Model {
  dims: number;
  stochastic: boolean;
  encode: (x: Numbers) => Code;
  decode: (z: Numbers) => Float32Array;
}

/** The colours of a theme by what they stand for; `classes` has the ten of the digits. */
interface Colours {
  [name: string]: any;
  text?: string;
  background?: string;
  grid?: string;
  primary?: string;
  classes?: string[];
}

/** An axis of a plot, or what changes of it. */
interface Axis {
  from?: number;
  to?: number;
  label?: string;
}

/** What can be taken hold of: see Plot.handle. */
interface Moves {
  start?: () => any;
  drag?: (dx: number, dy: number, origin: any) => void;
  key?: (steps: number, fine: boolean, up: boolean) => void;
  end?: () => void;
}

/** The weights of a layer, with the BatchNorm that follows it. */
interface Weights {
  weight: Tensor<Float32Array>;
  bias: Tensor<Float32Array>;
  norm?: Record<"weight" | "bias" | "running_mean" | "running_var", Tensor<Float32Array>>;
}

/** A layer, x -> y: y holds until the next call. */
type Layer = (x: Numbers) => Float64Array;
type Activation = (y: Float64Array) => Float64Array;

/** A call of Background on its way to jobs.js, and what has been found for it, part by part. */
interface Job {
  key: string;
  id: number;
  kind: "decode" | "encode";
  input: Float32Array;
}
type Found = Record<string, any>;
interface JobPart {
  key: string;
  id: number;
  from: number;
  to: number;
  count: number;
  part: Found;
}

/** Pictures as they come: `pictures` has its whole length, from … to − 1 are new. */
type OnPart = (pictures: Uint8Array, from: number, to: number) => void;

/** The nodes of a component's own HTML: whoever wrote it knows of which kind each is. */
type Parts = Record<string, any>;

/** What Streamlit hands to a component on mount and on every change. */
interface Component {
  data: any;
  setStateValue: (name: string, value: any) => void;
  setTriggerValue: (name: string, value: any) => void;
}
