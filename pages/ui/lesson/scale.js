// How large letters are, and with them pictures: on a projector the page's rem is half as large again.

/** CSS pixels of a rem. */
export const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

/** Whether this is the presentation mode, which hides what is only to be pressed. */
export const isProjected = () => rem() > 20;
