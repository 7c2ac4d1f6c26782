// The records that the browser code hands about, known to tsc everywhere by these names. Nothing of this runs.

/** A place of a plane, or a direction in it. */
type Point = [number, number];

/** A vector: a z, a place, a row of numbers. */
type Numbers = number[] | Float32Array | Float64Array;

/** From units of a map to pixels of its canvas. */
type ToPixels = (place: Numbers) => Point;

/** An array of a message or a file; `data` is as long as the product of `shape`. */
interface Tensor {
  shape: number[];
  data: any;
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

/** The nodes of a component's own HTML: whoever wrote it knows of which kind each is. */
type Parts = Record<string, any>;

/** What Streamlit hands to a component on mount and on every change. */
interface Component {
  data: any;
  setStateValue: (name: string, value: any) => void;
  setTriggerValue: (name: string, value: any) => void;
}
