/**
 * The document as the later checks see it: field by field, and only what has the right shape, so that
 * a fault in one place never hides those in another.
 */
import { quote } from './faults.ts';
import { child, upwards } from './pointer.ts';
import type { Place, Source } from './source.ts';
import type { Structure } from './structure.ts';

type Fields<T> = Extract<T, object>;
type Item<T> = T extends readonly (infer I)[] ? I : T;

/** A value of the document that should be a T. */
export interface View<T> {
  readonly pointer: string;
  /** Undefined when it is absent, or when it or anything in it is malformed. */
  readonly value: T | undefined;
  /** Where it stands; undefined when it is absent. */
  readonly place: Place | undefined;
  /** Whether the field is given, well-formed or not, or meant by a misspelt one. */
  has(field: keyof Fields<T> & string): boolean;
  at<K extends keyof Fields<T> & string>(field: K): View<NonNullable<Fields<T>[K]>>;
  /** A list's items; what is no list counts as a list of itself; none when absent. */
  items(): readonly View<Item<T>>[];
  /** The fields of a mapping, by name. */
  entries(): readonly (readonly [name: string, view: View<Fields<T>[keyof Fields<T>]>])[];
  /** As written, in backticks: what came from the environment stays a `${NAME}`. */
  quoted(): string;
}

/** A place in the document; where nothing is, what it is missing from is meant. */
export type Spot = Pick<View<unknown>, 'pointer'>;

/** Where the checks put what they find. */
export interface Report {
  fault(spot: Spot, message: string, hint?: string | null): void;
  warn(spot: Spot, message: string, hint?: string | null): void;
}

interface Known {
  readonly places: Source['places'];
  /** Places that are malformed, or have something malformed in them. */
  readonly tainted: ReadonlySet<string>;
  /** Fields that are there under a misspelt name: nobody needs to hear that they are missing. */
  readonly misspelt: ReadonlySet<string>;
}

export function rootView<T>(source: Source, structure: Structure): View<T> {
  const malformed = [...source.problems, ...structure.problems];
  const tainted = new Set(malformed.flatMap((problem) => upwards(problem.pointer)));
  return viewOf<T>({ places: source.places, tainted, misspelt: structure.misspelt }, '');
}

function viewOf<T>(known: Known, pointer: string): View<T> {
  const { places, tainted, misspelt } = known;
  const place = places.get(pointer);
  const inside = <I>(key: string | number): View<I> => viewOf<I>(known, child(pointer, key));
  return {
    pointer,
    place,
    value: tainted.has(pointer) ? undefined : (place?.value as T | undefined),
    has: (field) => places.has(child(pointer, field)) || misspelt.has(child(pointer, field)),
    at: (field) => inside(field),
    items() {
      if (Array.isArray(place?.value)) return place.value.map((_, index) => inside<Item<T>>(index));
      return place === undefined ? [] : [viewOf<Item<T>>(known, pointer)];
    },
    entries() {
      const value = place?.value;
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
      return Object.keys(value).map((name) => [name, inside(name)] as const);
    },
    quoted: () => quote(place?.written ?? ''),
  };
}
