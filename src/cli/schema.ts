/** `keywarden schema`: the JSON Schema of the policy file, or of what a webhook channel posts. */
export async function schema(
  { webhook }: { readonly webhook: boolean },
  io: { readonly stdout: { write(text: string): unknown } },
): Promise<number> {
  if (webhook) {
    const { webhookSchemaText } = await import('../alerts/compose/webhook-schema.ts');
    io.stdout.write(webhookSchemaText());
  } else {
    const { schemaText } = await import('../policy/schema.ts');
    io.stdout.write(schemaText());
  }
  return 0;
}
