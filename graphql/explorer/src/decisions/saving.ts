import { Refusal } from '../ask';
import { bearer } from '../shell/session';

/** Keeps a text as a file, byte for byte. */
export function saveText(content: string, name: string, type = 'application/json'): void {
  save(new Blob([content], { type }), name);
}

/** The receipt of an entry: what proves to anybody, offline, that the log holds it. Throws a Refusal. */
export async function saveReceipt(id: string, seq: number): Promise<void> {
  const response = await fetch(`/api/v1/receipts/${encodeURIComponent(id)}`, { headers: bearer() }).catch(() => undefined);
  if (!response) throw new Refusal('The server does not answer.', 'UNREACHABLE', 'Check that it runs, then try again.');
  if (!response.ok) {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    throw new Refusal(error.message, error.code);
  }
  const told = /filename="([^"/\\]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
  save(await response.blob(), told ?? `${seq}.receipt`);
}

function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
