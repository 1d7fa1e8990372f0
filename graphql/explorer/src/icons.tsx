import type { Hue } from './words';

// Outlines on a square of 16 units.
export const ICONS: Record<Hue, string> = {
  data: 'M2 3h12v10H2zM2 6.5h12M2 9.75h12M6.5 6.5V13',
  model: 'M8 1.8 14 5v6L8 14.2 2 11V5zM2 5l6 3.2L14 5M8 8.2v6',
  work: 'M4 2.6 13 8l-9 5.4z',
  service: 'M8 13.5V3M4 7l4-4 4 4M2.5 13.5h11',
  column: 'M5.5 2.5h5v11h-5zM2.5 2.5v11M13.5 2.5v11',
};

export function Icon({ of }: { of: Hue }) {
  return (
    <svg className={`icon ${of}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={ICONS[of]} />
    </svg>
  );
}
