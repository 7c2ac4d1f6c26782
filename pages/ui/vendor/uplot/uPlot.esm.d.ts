// What live/curves.js uses of uPlot; the vendored file itself is not checked.
export default class uPlot {
  constructor(options: object, data: ArrayLike<number>[], host: HTMLElement);
  static sync(key: string): { key: string };
  [member: string]: any;
}
