// How large letters are, and with them pictures: on a projector the page's rem is half as large again.

/** CSS pixels of a rem. */
export const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

/** A margin that is given in rem, in pixels. */
export const scaled = (margin, unit) => Object.fromEntries(Object.entries(margin).map(([side, v]) => [side, v * unit]));

/** Whether this is the presentation mode, which hides what is only to be pressed. */
export const isProjected = () => rem() > 20;
