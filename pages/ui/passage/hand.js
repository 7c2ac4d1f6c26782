// What a hand does with the plane, by pointer or by keys: it moves q, and in the film it looks up what was decoded there.

import { cleanPassage } from "./math.js";

/** What explore/pointer.js calls. @param {any} view the passage */
export function handlersOf(view) {
  const seek = (xy) => ((view.tried = xy), view.ask());
  const rest = (xy) => {
    view.tried = null;
    if (view.frame || view.state.blank) view.ask();
    else view.change({ mu: cleanPassage({ mu: xy }).mu });
  };
  const moved = (from, by) => from.map((v, d) => v + by[d]);
  return {
    handle: () => (view.frame || view.state.blank ? null : (view.tried ?? view.code?.mu)),
    hover: (xy) => view.frame && seek(xy),
    leave: () => seek(null),
    press: () => false,
    drag: seek,
    drop: rest,
    click: rest,
    nudge: (by) => {
      if (view.frame) seek(moved(view.tried ?? [0, 0], by));
      else if (view.found && !view.state.blank) rest(moved(view.code.mu, by));
    },
    key: (key) => {
      if (key !== "Home") return false;
      if (view.frame) seek(null);
      else view.change({ mu: null });
      return true;
    },
  };
}
