export const secondMs = 1000;
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** As a policy file writes it. */
export function durationText(ms: number): string {
  return `${String(Math.round(ms / secondMs))}s`;
}
