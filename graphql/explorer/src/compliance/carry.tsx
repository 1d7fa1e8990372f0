import { useState } from 'react';
import { Refusal } from '../ask';
import { bearer } from '../shell/session';
import type { Asked, Filter, Position } from './matrix';

const FORMS = [
  { form: 'xlsx', name: 'Workbook (XLSX)' },
  { form: 'csv.zip', name: 'CSV with cover (ZIP)' },
] as const;

type Form = (typeof FORMS)[number]['form'];

/** The matrix as a file, made by the server at the very position and with the very filters of the page. */
export function Carry({ asked, position, filter }: { asked: Asked; position: Position; filter: Filter }) {
  const [making, setMaking] = useState<Form>();
  const [failure, setFailure] = useState<Refusal>();
  const save = async (form: Form) => {
    setMaking(form);
    setFailure(undefined);
    try {
      await fetched(`/api/v1/compliance.${form}?${parametersOf(asked, position, filter)}`);
    } catch (error) {
      setFailure(error instanceof Refusal ? error : new Refusal('The server does not answer.', 'UNREACHABLE', 'Check that it runs, then try again.'));
    } finally {
      setMaking(undefined);
    }
  };
  return (
    <>
      <details className="menu">
        <summary className="button">{making ? 'Making the file…' : 'Export'}</summary>
        <div>
          {FORMS.map(({ form, name }) => (
            <button key={form} className="button" disabled={making !== undefined} onClick={() => void save(form)}>{name}</button>
          ))}
          {failure && <p role="alert">{failure.message} {failure.remedy}</p>}
        </div>
      </details>
    </>
  );
}

function parametersOf(asked: Asked, position: Position, filter: Filter): string {
  const { at, evaluatedAt } = position;
  const told: [string, string | null | undefined][] = [
    ['pack', asked.pack],
    ['environment', asked.environment],
    ['latest', asked.latest ? null : 'false'],
    ['valid', at.valid],
    ['known', String(at.known)],
    ['evaluatedAt', evaluatedAt],
    ['name', filter.name],
    ...[...filter.verdicts].map((one): [string, string] => ['verdict', one.toLowerCase()]),
    ...[...filter.severities].map((one): [string, string] => ['severity', one.toLowerCase()]),
  ];
  return new URLSearchParams(told.filter((one): one is [string, string] => Boolean(one[1]))).toString();
}

async function fetched(address: string): Promise<void> {
  const response = await fetch(address, { headers: bearer() });
  if (!response.ok) {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    throw new Refusal(error.message, error.code);
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'compliance';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
