// Test images by their class. Runs under node.

/** The next test image of the same class, from the first again after the last. */
export function another(image, labels) {
  return nextOf(labels[image], image + 1, labels);
}

/** The first test image of a class from `start` on, around the end; -1 where the class has none. */
export function nextOf(digit, start, labels) {
  for (let i = 0; i < labels.length; i++) {
    const image = (start + i) % labels.length;
    if (labels[image] === digit) return image;
  }
  return -1;
}
