// Empty, so that `vitest bench` runs with its defaults and not with those of this repository's tests.
export default {};
