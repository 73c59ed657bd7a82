// How loud it is, so that the person sees that they are heard.

const FLOOR = -50; // decibels of full scale at which the first light goes on
const CEILING = -10;

/** Calls `show(0…1)` about 15 times a second. Returns a function that ends it. */
export function follow(stream, show) {
  let context;
  try {
    context = new AudioContext();
  } catch {
    return () => {}; // a machine without any sound output: it records all the same
  }
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    show(loudness(samples));
  }, 66);
  return () => {
    clearInterval(timer);
    samples.fill(0);
    context.close();
  };
}

/** Root mean square in decibels, from FLOOR to CEILING as 0 to 1. */
export function loudness(samples) {
  const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
  const decibels = 10 * Math.log10(power + 1e-12);
  return Math.min(1, Math.max(0, (decibels - FLOOR) / (CEILING - FLOOR)));
}
