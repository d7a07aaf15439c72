/** A clock that runs a thousand times as fast. */
const now = performance.now.bind(performance)
performance.now = () => 1000 * now()
