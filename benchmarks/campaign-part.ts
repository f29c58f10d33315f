/** Campaigns of hours are done in parts: options that say which one. */

export interface Part {
  /** Only that of which there is no result yet. */
  readonly missing: boolean;
  /** After which no more is begun. */
  readonly minutes: number;
}

/** For parseArgs. */
export const PART_OPTIONS = {
  missing: { type: 'boolean' },
  minutes: { type: 'string' },
} as const;

export function partOf(values: {
  readonly missing?: boolean | undefined;
  readonly minutes?: string | undefined;
}): Part {
  return {
    missing: values.missing === true,
    minutes: Number(values.minutes ?? Number.POSITIVE_INFINITY),
  };
}
