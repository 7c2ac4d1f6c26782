// Test images by their names and classes. Runs under node.
// set: { labels, numbers: among all test images, classNames: in the order of the labels, none where there are no classes }

const isDigit = (name) => /^[0-9]$/.test(name);

/** "a 7", "an 8"; a name that is no digit stands for itself: "Sneaker". */
export const oneOf = (name) => (isDigit(name) ? `${name === "8" ? "an" : "a"} ${name}` : name);

/** "7s", or "Sneaker". */
export const manyOf = (name) => (isDigit(name) ? `${name}s` : name);

/** "mean of the 7s", or "mean of Sneaker". */
export const meanOf = (name) => `mean of ${isDigit(name) ? "the " : ""}${manyOf(name)}`;

/** What a test image is called on every page, as pages/ui/words.py says it: "test image 4832, a 7". name: of its class. */
export const nameOf = (number, name = "") => `test image ${number}${name && `, ${oneOf(name)}`}`;

/** The name of a class; "" for the label of an image that has none. */
export const classOf = (label, { classNames }) => classNames[label] ?? "";

/** What one of the map's images is called. */
export const imageName = (image, set) => nameOf(set.numbers[image], classOf(set.labels[image], set));

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
export function nextOf(label, start, labels) {
  for (let i = 0; i < labels.length; i++) {
    const image = (start + i) % labels.length;
    if (labels[image] === label) return image;
  }
  return -1;
}
