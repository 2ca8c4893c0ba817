import type { Key, KeyId, SecretBook } from '../core/key.ts';
import { Secret } from '../core/secret.ts';

/** Few secrets are asked for in most passes, so the keys are put in order only when many are. */
const manyAsked = 8;

/** `secretAt`: the secret of the key in that place. */
export function secretBook(
  keys: readonly Key[],
  secretAt: (place: number) => string | undefined,
): SecretBook {
  let asked = 0;
  let places: ReadonlyMap<KeyId, number> | null = null;
  const placeOf = (id: KeyId): number => {
    asked += 1;
    if (asked > manyAsked) places ??= new Map(keys.map((key, place) => [key.id, place]));
    return places === null ? keys.findIndex((key) => key.id === id) : (places.get(id) ?? -1);
  };
  return {
    get: (id) => {
      const text = secretAt(placeOf(id));
      return text === undefined ? undefined : new Secret(text);
    },
  };
}
