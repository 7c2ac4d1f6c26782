// What gif.js uses of gifenc; the vendored file itself is not checked.
export function GIFEncoder(): {
  writeFrame(
    indices: Uint8Array,
    width: number,
    height: number,
    options: { palette: number[][] | null; delay: number },
  ): void;
  finish(): void;
  bytes(): Uint8Array<ArrayBuffer>;
};
