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

/** What a package says of its model: pages/ui/explore/package.py writes it. */
interface About {
  name: string;
  title: string;
  net: "mlp" | "conv";
  widths: string; // "400-200": of an mlp
  activation: string;
  model: string;
  family: string;
  posterior: boolean;
  dims: number;
  labels: number; // 10 where both halves are told one, else 0
  label: number; // that one, until another is given
  likelihood: string;
  sigma: number | null;
  protocol: string;
  beta?: number; // these four are of a training: a file that somebody opens does not say them
  seed?: number;
  step?: number;
  epochs?: number;
  caption: string;
  twin: string | null;
  shipped: boolean;
  explained: number;
  dataset: string;
  classNames: string[]; // none where the images have no classes
  centred: boolean; // and scaled, as MNIST's images are
  tests: number; // test images in all
  yardstick: number;
  attributes: (Record<"key" | "label" | "unit" | "says", string> & Record<"low" | "high" | "mean", number>)[];
}

/** A family's term: `colour` is a name of the palette, `unit` that of one that is no nats. */
interface Term {
  name: string;
  label: string;
  colour: string;
  unit?: string;
}

/** What a family has, for the live view: pages/ui/terms.py writes it. */
interface Family {
  terms: Term[];
  bound: boolean;
  posterior: boolean;
  codes: boolean;
  codebook?: number;
  labels?: boolean; // pictures are drawn for a label
  scales: Term[];
}

/** An arm as it is asked for: ArmShown of pages/ui/arms/view.py. */
interface ArmShown {
  run_id: string;
  name: string;
  posterior: boolean;
  sampled: boolean;
  weights: number; // of their shapes
  noise: string; // its shape for an image
  mine: boolean;
  predicted: string;
  removable: boolean;
}

/** The numbers of a snapshot as they are sent; old frames have nll and kl in place of terms, and sigma in place of scales. */
interface SnapshotNumbers {
  step: number;
  xyUnit: number;
  explained: number;
  meanStd: number | null;
  scales?: Record<string, number>;
  usage?: { perplexity: number; used: number };
  sigma?: number | null;
  terms?: Record<string, number>;
  negElbo?: number | null;
  nll?: number;
  kl?: number;
  diagnosis: { name: string; sentence: string } | null;
  meter: Record<string, any> | null;
  classNames?: string[]; // of the classes, where these are more than numbers
  exact?: Record<"exact_elbo" | "exact_log_p" | "error" | "sigma", number>; // of points of the plane
}

/** The arrays of a snapshot; what a family has not is empty. */
type SnapshotArrays = Record<
  | "xy"
  | "labels"
  | "kl_dims"
  | "active"
  | "originals"
  | "reconstructions"
  | "prior_draws"
  | "grid"
  | "basis"
  | "ten_mu"
  | "ten_log_var"
  | "ten_pull_mu"
  | "ten_pull_log_var",
  Tensor
> & { sigmas?: Tensor; inputs?: Tensor; code_maps?: Tensor; [points: `points_${string}`]: Tensor };

/** A snapshot as everything draws it: its terms by name in nats, their sum where it is −ELBO, D = dims. */
interface SnapshotPicture extends SnapshotNumbers, SnapshotArrays {
  terms: Record<string, number>;
  negElbo: number | null;
  scales: Record<string, number>;
  dims: number;
}

/** What can change while a run trains: LiveSettings of vae_core/config.py. */
interface LiveSettings {
  alpha: number;
  beta: number;
  weights: string;
  learning_rate: number;
  frozen: string;
}

/** What is new of a run: socket.py writes it. `columns`: the names of the columns of its tables. */
interface News {
  run: string;
  fresh: boolean;
  status: string;
  message: string;
  step: number;
  stepsPerEpoch: number;
  totalSteps: number;
  imagesPerSecond: number;
  waits: { place: number; of: number; seconds: number } | null;
  weights: LiveSettings;
  columns: Record<"train" | "test", string[]>;
  device: string;
  config: Record<string, any>;
  marks: { step: number; text: string; weights: LiveSettings }[];
  final: boolean;
  cursor: Record<string, number>;
  film: number[];
  states: number[];
  snapshot?: SnapshotNumbers;
  slow?: { step: number; [number: string]: any };
}

/** A message of a run: its tables train and test, and the arrays of a snapshot, if there is one. */
interface Message {
  news: News;
  arrays: Tensors;
}

/** What the encoder makes of an image; logVar is null where the code is no distribution. */
interface Code {
  mu: Float32Array;
  logVar: Float32Array | null;
}

/** Both networks of a model: of one image at a time, 784 values in [0, 1]. `given(y)`: the same, told another label. */
interface Model {
  dims: number;
  stochastic: boolean;
  encode: (x: Numbers) => Code;
  decode: (z: Numbers) => Float32Array;
  given: (y: number) => Model;
}

/** The colours of a theme by what they stand for; `classes` has ten. */
interface Colours {
  [name: string]: any;
  text?: string;
  background?: string;
  grid?: string;
  primary?: string;
  classes?: string[];
}

/** From one number to another. */
interface Span {
  from: number;
  to: number;
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
  kind: "decode" | "means" | "encode";
  input: Float32Array;
  ys?: Uint8Array; // a label for each, of a model that is told one
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
