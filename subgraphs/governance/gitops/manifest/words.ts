/** How to read this table: what the panel's operations call the left, a manifest calls the right. */
const words: Readonly<Record<string, string>> = {
  appliesTo: 'applies_to',
  bakeSeconds: 'bake_seconds',
  forSeconds: 'for_seconds',
  groupId: 'group',
  instanceIds: 'instance_ids',
  isAutomatic: 'automatic',
  isEnabled: 'enabled',
  keepFiringForSeconds: 'keep_firing_for_seconds',
  progressDeadlineSeconds: 'progress_deadline_seconds',
};
/** Lists that are put in order before they are sent: a place in them says nothing of the file. */
const sorted = /\b(instance_ids|groups)\.\d+/;
/** Parts of an input that are made of something else. */
const moved: readonly [of: RegExp, to: string][] = [
  [/^(?:name|kind)$/, 'metadata.name'],
  [/^params\.version\b/, 'spec.version'],
  [/^(?!metadata\.|spec\.)/, 'spec.'],
];

/** A path in the words of a manifest. */
export function inManifestWords(path: string): string {
  const translated = path.split('.').map((word) => words[word] ?? word);
  return translated.join('.').replace(sorted, '$1');
}

/** Where in a manifest that stands of which an operation says so at `path`, as `input.instanceIds.0`. */
export function placeOfInput(path: string): string {
  const within = inManifestWords(path.replace(/^input\./, '').replace(/\bgroup_ids\b/, 'groups'));
  return moved.reduce((place, [of, to]) => place.replace(of, to), within);
}
