// Samples sorted into lines: by series, then by what they are about.
import type { MetricPoint } from '../api/shapes';

export interface Sample { at: number; value: number }
export interface Line { subject: string; samples: Sample[] }
export interface Series { name: string; lines: Line[] }

export function lines(points: MetricPoint[]): Series[] {
  const byName = new Map<string, Map<string, Sample[]>>();
  for (const point of points) {
    const subjects = byName.get(point.name) ?? new Map<string, Sample[]>();
    const samples = subjects.get(point.subject) ?? [];
    samples.push({ at: Date.parse(point.at), value: point.value });
    subjects.set(point.subject, samples);
    byName.set(point.name, subjects);
  }
  const ordered = (samples: Sample[]) => samples.sort((a, b) => a.at - b.at);
  return [...byName].sort(([a], [b]) => a.localeCompare(b)).map(([name, subjects]) => ({
    name,
    lines: [...subjects].sort(([a], [b]) => a.localeCompare(b)).map(([subject, samples]) => ({ subject, samples: ordered(samples) })),
  }));
}

/** The line as a path in a box of `width` by `height`, zero at the bottom. */
export function trace(samples: Sample[], from: number, till: number, most: number, width: number, height: number): string {
  const span = Math.max(1, till - from);
  return samples
    .map((sample, index) => {
      const x = (width * (sample.at - from)) / span;
      const y = height - (height * Math.max(0, sample.value)) / Math.max(most, 1e-9);
      return `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
