// Numbers as people read them: bytes, percent, spans, moments. Binary units, as the engines count.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `12.3 MiB`; three figures; the sign is kept. */
export function bytes(value: number): string {
  let rest = Math.abs(value);
  let unit = 0;
  while (rest >= 1023.5 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return `${value < 0 ? '−' : ''}${rest.toFixed(digits)} ${UNITS[unit]}`;
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const value = (100 * part) / whole;
  return `${value < 0 ? '−' : ''}${Math.abs(value).toFixed(Math.abs(value) < 10 ? 1 : 0)} %`;
}

/** `1 h 05 min`, `3 min 20 s`, `12 s`, `0.4 s`. */
export function span(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** Local time; the full stamp belongs into a title. */
export function moment(stamp: string, language: string): string {
  const date = new Date(stamp);
  if (Number.isNaN(date.getTime())) return stamp;
  const today = new Date().toDateString() === date.toDateString();
  const clock: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false };
  return date.toLocaleString(language, today ? clock : { month: 'short', day: 'numeric', ...clock });
}

export const address = (at: { host: string; port: number }): string =>
  at.host.includes(':') ? `[${at.host}]:${at.port}` : `${at.host}:${at.port}`;

/** How far a prediction was off, as a share of the file; the measure the benchmark uses. */
export function errorPercent(predicted: number, freed: number, file: number): number {
  return file === 0 ? 0 : (100 * (predicted - freed)) / file;
}
