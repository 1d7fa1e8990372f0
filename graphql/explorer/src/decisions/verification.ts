/**
 * What a browser can check of a decision by itself: who signed it, and that no part of it was changed.
 *
 * DSSE v1 with Ed25519 over its pre-authentication encoding, in-toto Statement v1, SLSA Verification Summary v1; digests
 * are SHA-256 over RFC 8785. `lineward decision verify` checks the same from Python.
 */
import { canonical, isObject, type Json, type JsonObject, list, part, said, strictObject } from './strict';

export interface Check {
  name: string;
  outcome: 'ok' | 'failed' | 'absent';
  message: string;
}

export interface Verified {
  checks: Check[];
  decision: JsonObject | undefined;
  signer: string | undefined; // the id of the key that the signature holds under
  isTrusted: boolean; // whether the reader, and not the file, named that key
}

const BUNDLE = 'lineward.dev/decision/v1';
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const STATEMENT = 'https://in-toto.io/Statement/v1';
const SUMMARY = 'https://slsa.dev/verification_summary/v1';
const EXTENSION = 'https://lineward.dev/decision/v1';
const VERIFIER = 'https://lineward.dev/gate/v1';
const RESULTS: Record<string, string> = { ALLOW: 'PASSED', DENY: 'FAILED' };
const KINDS: Record<string, string> = { MODEL_VERSION: 'model', DATASET_VERSION: 'dataset' };

/** Browsers give cryptography only to pages that nobody can have changed on their way. */
export function canVerify(): boolean {
  return globalThis.isSecureContext && crypto.subtle !== undefined;
}

/** Every check of a bundle or a bare envelope, under the key that the reader trusts or, without one, the file's own. */
export async function verified(text: string, trusted?: string): Promise<Verified> {
  let file: JsonObject;
  try {
    file = strictObject(text);
  } catch (error) {
    return unread(`This is no JSON of one meaning: ${error instanceof Error ? error.message : String(error)}`);
  }
  const isBare = 'payloadType' in file;
  const decision = isBare ? undefined : file['decision'];
  const envelope = isBare ? file : file['envelope'];
  if (!isBare && (file['bundle'] !== BUNDLE || !isObject(decision))) return unread('This is neither a decision bundle nor a DSSE envelope.');
  const checks: Check[] = [];
  let signer: string | undefined;
  let statement: JsonObject | undefined;
  if (isObject(envelope)) {
    const signature = await signed(envelope, trusted ?? said(part(file['publicKey'])['pem']), trusted !== undefined);
    signer = signature.signer;
    statement = signature.statement;
    checks.push(...signature.checks);
    if (statement) checks.push(...form(statement));
  }
  if (isObject(decision)) checks.push(...(await digests(decision)), ...(await agreement(decision, statement)));
  return { checks, decision: isObject(decision) ? decision : undefined, signer, isTrusted: trusted !== undefined };
}

function unread(message: string): Verified {
  return { checks: [{ name: 'file', outcome: 'failed', message }], decision: undefined, signer: undefined, isTrusted: false };
}

function check(name: string, holds: boolean, right: string, wrong: string): Check {
  return { name, outcome: holds ? 'ok' : 'failed', message: holds ? right : wrong };
}

// The envelope ------------------------------------------------------------------------------------------------------

interface Signature {
  checks: Check[];
  signer: string | undefined;
  statement: JsonObject | undefined;
}

async function signed(envelope: JsonObject, pem: string, isTrusted: boolean): Promise<Signature> {
  const type = said(envelope['payloadType']);
  const checks = [check('payload type', type === PAYLOAD_TYPE, type, `${type} is not ${PAYLOAD_TYPE}`)];
  let payload: Uint8Array<ArrayBuffer>;
  let statement: JsonObject;
  try {
    payload = fromBase64(said(envelope['payload']));
    statement = strictObject(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return { checks: [{ name: 'signature', outcome: 'failed', message: 'what was signed cannot be read' }, ...checks], signer: undefined, statement: undefined };
  }
  const key = await keyOf(pem);
  if (!key) {
    const message = isTrusted ? 'what you gave is no public Ed25519 key in PEM' : 'the file names no key to check it with: give the one that you trust';
    return { checks: [{ name: 'signature', outcome: 'failed', message }, ...checks], signer: undefined, statement };
  }
  const holds = await Promise.all(list(envelope['signatures']).map((each) => isSignedBy(key, each, encoding(type, payload))));
  const wrong = isTrusted ? `the key ${key.id} that you trust did not sign this: it was changed, or somebody else signed it` : `the key ${key.id} did not sign this: payload, type or signature were changed`;
  const isSigned = holds.includes(true);
  return { checks: [check('signature', isSigned, `made by the key ${key.id}`, wrong), ...checks], signer: isSigned ? key.id : undefined, statement };
}

async function isSignedBy(key: PublicKey, signature: Json, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const { keyid, sig } = part(signature);
  if (keyid !== key.id) return false;
  try {
    return await crypto.subtle.verify('Ed25519', key.key, fromBase64(said(sig)), bytes);
  } catch {
    return false; // no base64, or not of the length of a signature
  }
}

/** DSSE's pre-authentication encoding: what is signed is the type as well as the payload. */
function encoding(type: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`DSSEv1 ${new TextEncoder().encode(type).length} ${type} ${payload.length} `);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}

export interface PublicKey {
  id: string;
  key: CryptoKey;
}

/** A public Ed25519 key in PEM; undefined for anything else. Its id is that of `lineward decision verify`. */
export async function keyOf(pem: string): Promise<PublicKey | undefined> {
  const body = /-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/.exec(pem)?.[1];
  if (!body) return undefined;
  try {
    const key = await crypto.subtle.importKey('spki', fromBase64(body.replace(/\s/g, '')), 'Ed25519', true, ['verify']);
    const raw = hex(await crypto.subtle.exportKey('raw', key));
    const named = await digest({ keytype: 'ed25519', scheme: 'ed25519', keyval: { public: raw } });
    return { id: named.slice('sha256:'.length), key };
  } catch {
    return undefined;
  }
}

function form(statement: JsonObject): Check[] {
  const predicate = part(statement['predicate']);
  const result = said(predicate['verificationResult']);
  const levels = list(predicate['verifiedLevels']);
  const fits = result === 'FAILED' ? canonical(levels) === '["FAILED"]' : !levels.includes('FAILED');
  const isSummary = statement['_type'] === STATEMENT && statement['predicateType'] === SUMMARY;
  const verifier = said(part(predicate['verifier'])['id']);
  return [
    check('statement', isSummary, 'a SLSA verification summary', 'it is no SLSA verification summary'),
    check('verifier', verifier === VERIFIER, VERIFIER, `${verifier} is not ${VERIFIER}`),
    check('result', ['PASSED', 'FAILED'].includes(result) && fits, result, `${result} does not go with its levels`),
  ];
}

// The decision ------------------------------------------------------------------------------------------------------

async function digests(decision: JsonObject): Promise<Check[]> {
  const checks: Check[] = [];
  const stated = decision['evidenceDigest'];
  if (stated !== undefined || decision['evidence'] !== undefined) {
    const found = await digest(part(decision['evidence']));
    checks.push(check('evidence', found === stated, found, `it hashes to ${found}, the decision says ${String(stated)}`));
  }
  for (const each of list(decision['packs']).map(part)) {
    const found = await digest(part(each['document']));
    const wrong = `it hashes to ${found}, the decision says ${String(each['digest'])}`;
    checks.push(check(`pack ${said(each['name'])}@${said(each['version'])}`, found === each['digest'], found, wrong));
  }
  return checks;
}

async function agreement(decision: JsonObject, statement: JsonObject | undefined): Promise<Check[]> {
  const state = said(decision['state']);
  const reason = whyUnsigned(decision);
  if (!statement && reason) return [{ name: 'signature', outcome: 'absent', message: `there is none: ${reason}` }];
  if (!statement) return [check('signature', false, '', `there is none that can be read, though every ${state} has one`)];
  if (reason) return [check('decision', false, '', `it is signed, though ${reason}`)];
  const predicate = part(statement['predicate']);
  const told = part(predicate[EXTENSION]);
  const subject = part(part(decision['evidence'])['subject']);
  const subjectDigest = told['subjectDigestOf'] === 'artifact' ? said(subject['digest']) : said(subject['closureDigest']);
  const target = part(decision['target']);
  const name = urn(target);
  const packs = list(decision['packs']).map(part).map(({ name: called, version, digest: of }) => ({ name: called!, version: version!, digest: of! }));
  const whole = await digest(decision);
  const controls = await digest({ controls: decision['controls'] ?? [] });
  const policies = packs.length === 1 ? said(packs[0]!.digest) : await digest({ packs: packs.map((each) => each.digest) });
  return [
    check('decision', told['decisionDigest'] === whole, whole, 'its body is not the one that was signed'),
    same('verdicts', told['controlsDigest'], controls),
    same('subject', statement['subject'], [{ name: told['subjectDigestOf'] === 'artifact' ? name : `lineward+closure:${name}`, digest: digestSet(subjectDigest) }]),
    same('target and environment', predicate['resourceUri'], `${name}?=environment=${encoded(said(decision['environment']))}`),
    same('packs', predicate['policy'], { uri: `urn:lineward:packs:${packs.map((each) => `${encoded(said(each.name))}@${encoded(said(each.version))}`).join(',')}`, digest: digestSet(policies) }),
    same('signed pack digests', told['packs'], packs),
    same('signed evidence digest', told['evidenceDigest'], decision['evidenceDigest']),
    same('state', predicate['verificationResult'], RESULTS[state]!),
    same('evaluated at', predicate['timeVerified'], decision['evaluatedAt']),
    same('log snapshot', told['snapshot'], decision['snapshot']),
    same('approvals', told['approvals'] ?? [], decision['approvals'] ?? []),
    same('waivers', told['waivers'] ?? [], decision['waivers'] ?? []),
    same('expiry', told['expiresAt'], decision['expiresAt']),
  ];
}

function whyUnsigned(decision: JsonObject): string | undefined {
  const state = said(decision['state']);
  const subject = part(part(decision['evidence'])['subject']);
  if (decision['preview'] === true) return 'a preview is no release decision';
  if (!(state in RESULTS)) return `${state} is neither a yes nor a no, and only these are signed`;
  const isNamed = [subject['digest'], subject['closureDigest']].some((each) => /^sha(256|384|512):[0-9a-f]+$/.test(said(each)));
  return isObject(decision['target']) && isNamed ? undefined : 'the target has neither an artifact digest nor a closure digest to name it by';
}

function same(name: string, signedValue: Json | undefined, held: Json | undefined): Check {
  const [a, b] = [signedValue, held].map((each) => (each === undefined ? 'nothing' : canonical(each)));
  return check(name, a === b, 'as signed', `${short(b!)} is not what was signed, ${short(a!)}`);
}

function short(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 119)}…`;
}

function urn(target: JsonObject): string {
  const kind = said(target['kind']);
  const named = [said(target['namespace']), said(target['name']), ...(typeof target['version'] === 'string' ? [target['version']] : [])];
  return ['urn:lineward', KINDS[kind] ?? kind.toLowerCase().replaceAll('_', '-'), ...named.map(encoded)].join(':');
}

/** RFC 3986: only unreserved characters stay as they are. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`);
}

function digestSet(text: string): JsonObject {
  const [algorithm = '', value = ''] = text.split(':');
  return { [algorithm]: value };
}

// Bytes -------------------------------------------------------------------------------------------------------------

/** `sha256:` and the hex digest of the canonical bytes. */
export async function digest(value: Json): Promise<string> {
  return digestOf(new TextEncoder().encode(canonical(value)));
}

export async function digestOf(bytes: BufferSource): Promise<string> {
  return `sha256:${hex(await crypto.subtle.digest('SHA-256', bytes))}`;
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
