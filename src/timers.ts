/** Longest time that a Node timer can wait, in ms: 25 days. It takes anything longer for 1 ms. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
