// Test images by their names and classes. Runs under node.

export const article = (digit) => (digit === 8 ? "an" : "a");

/** What a test image is called on every page, as pages/ui/words.py says it: "test image 4832, a 7". */
export const nameOf = (number, digit) => `test image ${number}, ${article(digit)} ${digit}`;

/** The same of one of the map's images; set: numbers among all test images, and labels. */
export const imageName = (image, { numbers, labels }) => nameOf(numbers[image], labels[image]);

/** The map's image of a number, or of the next number that it has, around the end. */
export function imageOf(number, numbers) {
  let [best, least] = [0, Infinity];
  const around = Math.max(...numbers) + 1;
  numbers.forEach((other, i) => {
    const further = (other - number + around) % around;
    if (further < least) [best, least] = [i, further];
  });
  return best;
}

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
