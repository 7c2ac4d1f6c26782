// For those who asked their system for less motion.

export const STILL_MS = 700; // between two pictures: one after another, and nothing that glides

/** Whether what moves by itself has to go in steps. */
export const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
