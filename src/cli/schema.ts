/** `keywarden schema`: the JSON Schema of the policy file. */
export async function schema(io: { readonly stdout: { write(text: string): unknown } }): Promise<number> {
  const { schemaText } = await import('../policy/schema.ts');
  io.stdout.write(schemaText());
  return 0;
}
