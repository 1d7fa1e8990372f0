import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { Refusal } from '../ask';
import { saveReceipt } from './saving';
import { useViewer, type Viewer, who } from '../shell/viewer';
import { second } from './words';

export type Fact = readonly [name: string, value: ReactNode];

/** What is about to be done, exactly as it will be bound, and how to do it. */
export interface Bound {
  facts: readonly Fact[];
  verb: string;
  run: () => Promise<Answered>;
}

/** What the server answered, with the entries of the log that hold it. */
export interface Answered {
  headline: string;
  facts: readonly Fact[];
  entries: readonly Entered[];
  next?: ReactNode;
}

export interface Entered {
  id: string;
  seq: number;
  leafHash: string | null | undefined;
  recorded: string;
}

/** A button that opens a dialog; what is in the dialog lives as long as it is open. */
export function Dialog({ button, name, title, children }: { button: string; name?: string; title: string; children: (close: () => void) => ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button" aria-label={name} aria-haspopup="dialog" onClick={() => setOpen(true)}>{button}</button>
      {isOpen && <Window title={title} close={() => setOpen(false)}>{children(() => setOpen(false))}</Window>}
    </>
  );
}

export function Window({ title, close, children }: { title: string; close: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const label = useId();
  useEffect(() => {
    const shown = dialog.current!;
    const before = document.activeElement;
    shown.showModal();
    return () => {
      shown.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return createPortal(
    <dialog ref={dialog} className="act" aria-labelledby={label} onCancel={(event) => (event.preventDefault(), close())}>
      <div className="act-head">
        <h2 id={label}>{title}</h2>
        <button type="button" className="close" aria-label="Close" onClick={close}>×</button>
      </div>
      {children}
    </dialog>,
    document.body,
  );
}

interface Props {
  /** The fields; they keep what was put in while it is reviewed. */
  children: ReactNode;
  /** What the fields come to; a text says what is wrong with them. */
  bind: (given: FormData) => Bound | string | Promise<Bound | string>;
  close: () => void;
  after: () => void;
}

/** Put in, look at exactly what is bound, confirm, see the answer. Nothing is sent before the confirmation. */
export function Acting({ children, bind, close, after }: Props) {
  const viewer = useViewer();
  const [bound, setBound] = useState<Bound>();
  const [problem, setProblem] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Answered>();
  const step = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    step.current?.focus();
  }, [bound, answer]);
  const review = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setProblem(undefined);
    const found = await bind(new FormData(event.currentTarget));
    if (typeof found === 'string') setProblem(found);
    else setBound(found);
  };
  const confirm = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      setAnswer(await bound!.run());
      after();
    } catch (error) {
      setProblem(error);
    }
    setBusy(false);
  };
  if (answer) return <Answer answer={answer} heading={step} close={close} />;
  return (
    <>
      <form onSubmit={(event) => void review(event)} hidden={bound !== undefined} autoComplete="off">
        {children}
        {!bound && <Trouble of={problem} viewer={viewer} />}
        <div className="acts">
          <button type="button" className="button" onClick={close}>Cancel</button>
          <button className="button strong">Review</button>
        </div>
      </form>
      {bound && (
        <div className="step">
          <h3 ref={step} tabIndex={-1}>Exactly this is bound</h3>
          <Facts of={[...bound.facts, ['in the name of', viewer ? <Name key="who" of={viewer} /> : 'whoever you are to the server']]} />
          <Trouble of={problem} viewer={viewer} />
          <div className="acts">
            <button type="button" className="button" onClick={() => (setBound(undefined), setProblem(undefined))}>Back</button>
            <button type="button" className="button strong" disabled={isBusy} onClick={() => void confirm()}>{isBusy ? 'Sending…' : bound.verb}</button>
          </div>
        </div>
      )}
    </>
  );
}

function Name({ of }: { of: Viewer }) {
  if (of.person) return <><bdi>{who(of)}</bdi>{of.principal !== of.person && <span className="dim"> (<bdi>{of.principal}</bdi>)</span>}</>;
  return <><bdi>{who(of)}</bdi> <span className="tag gap">a machine: it is no person, and counts for none</span></>;
}

function Answer({ answer, heading, close }: { answer: Answered; heading: React.RefObject<HTMLHeadingElement | null>; close: () => void }) {
  return (
    <div className="step" role="status">
      <h3 ref={heading} tabIndex={-1}>{answer.headline}</h3>
      <Facts of={answer.facts} />
      {answer.entries.map((entry) => <Receipt key={entry.id} of={entry} />)}
      <div className="acts">
        {answer.next}
        <button type="button" className="button strong" onClick={close}>Done</button>
      </div>
    </div>
  );
}

/** The entry of the log that holds an act, and the receipt that proves it. */
export function Receipt({ of }: { of: Entered }) {
  const [problem, setProblem] = useState<unknown>();
  const save = () => saveReceipt(of.id, of.seq).then(() => setProblem(undefined), setProblem);
  return (
    <div className="receipt">
      <p>Entry <b>{of.seq.toLocaleString('en')}</b> of the log, {second(of.recorded)} UTC</p>
      {of.leafHash && <p className="dim">leaf <code>{of.leafHash}</code></p>}
      <button type="button" className="button" onClick={() => void save()}>Receipt of entry {of.seq}</button>
      {problem !== undefined && <Trouble of={problem} />}
    </div>
  );
}

export function Facts({ of }: { of: readonly Fact[] }) {
  return (
    <dl className="facts">
      {of.map(([name, value], index) => (
        <div key={`${name} ${index}`}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What the server, or the page, says no with, and what to do about it. */
export function Trouble({ of, viewer }: { of: unknown; viewer?: Viewer | undefined }) {
  if (of === undefined) return null;
  const refusal = of instanceof Refusal ? of : undefined;
  const message = refusal?.message ?? (of instanceof Error ? of.message : String(of));
  return (
    <div className="trouble" role="alert">
      <p><b>{message}</b></p>
      {refusal?.remedy && <p>{refusal.remedy}</p>}
      {refusal?.code === 'UNAUTHENTICATED' && <p>Sign in at the top of the page, then try again.</p>}
      {refusal?.code === 'FORBIDDEN' && viewer && !viewer.person && !viewer.open && <p>You are signed in as {who(viewer)}, which is no person.</p>}
    </div>
  );
}

// Times -------------------------------------------------------------------------------------------------------------

/** A `datetime-local` in UTC as RFC 3339; undefined where nothing was put in. */
export function instant(given: FormData, name: string): string | undefined {
  const text = String(given.get(name) ?? '');
  return text ? new Date(`${text}Z`).toISOString() : undefined;
}

/** What a `datetime-local` in UTC shows for so many milliseconds from now. */
export function ahead(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toISOString().slice(0, 16);
}

export function text(given: FormData, name: string): string | undefined {
  return String(given.get(name) ?? '').trim() || undefined;
}

export function lines(given: FormData, name: string): string[] {
  return String(given.get(name) ?? '').split('\n').map((line) => line.trim()).filter(Boolean);
}
