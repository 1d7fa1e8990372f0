import type { Viewer } from '../shell/viewer';

/** Why nothing that takes two people can pass here, where that is so. */
export function OpenMode({ viewer }: { viewer: Viewer | undefined }) {
  if (!viewer?.open) return null;
  return (
    <div className="remark" role="note">
      <b>Here everybody is <code>local</code>, one person.</b> Nobody has a key yet, so four eyes cannot pass: whoever asks, approves and countersigns is the same. Make the first key with <code>lineward keys create --bootstrap --owner YOU</code>; from then on people sign in, and each counts once.
    </div>
  );
}
