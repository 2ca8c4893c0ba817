/** Places in a document as JSON Pointers (RFC 6901), the form in which `ajv` reports them. */

export function child(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** As people write it: `policies[2].steps[0].at`. */
export function pathOf(pointer: string): string {
  return segmentsOf(pointer)
    .map((segment, index) => (/^\d+$/.test(segment) ? `[${segment}]` : index > 0 ? `.${segment}` : segment))
    .join('');
}

/** Itself and everything above it, up to the root ''. */
export function upwards(pointer: string): string[] {
  const found = [pointer];
  for (let at = pointer; at !== ''; found.push(at)) at = at.slice(0, at.lastIndexOf('/'));
  return found;
}
