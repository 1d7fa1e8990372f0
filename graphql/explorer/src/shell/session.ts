import { useSyncExternalStore } from 'react';

// The key stays in this tab: another tab, or this one closed and opened again, has to sign in anew.
const NAME = 'lineward.key';
const hearers = new Set<() => void>();

export function key(): string {
  return sessionStorage.getItem(NAME) ?? '';
}

export function setKey(value: string): void {
  if (value) sessionStorage.setItem(NAME, value);
  else sessionStorage.removeItem(NAME);
  for (const hear of hearers) hear();
}

export function bearer(): { Authorization?: string } {
  const held = key();
  return held ? { Authorization: `Bearer ${held}` } : {};
}

export function useKey(): string {
  return useSyncExternalStore((hear) => (hearers.add(hear), () => hearers.delete(hear)), key);
}
