/** A kernel without work: what remains is the cost of dispatch. */
export function noop(): void {}
