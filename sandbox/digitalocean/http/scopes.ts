const verbs: Readonly<Record<string, string>> = { GET: 'read', POST: 'create', DELETE: 'delete' };
const nouns: readonly (readonly [RegExp, string])[] = [
  [/^\/account\/keys/, 'ssh_key'],
  [/^\/account/, 'account'],
  [/^\/(droplets\/:id\/)?actions/, 'actions'],
  [/^\/droplets/, 'droplet'],
  [/^\/images/, 'image'],
  [/^\/regions/, 'regions'],
  [/^\/sizes/, 'sizes'],
  [/^\/tags/, 'tag'],
];

/** What a token of chosen scopes has to have for a call. */
export function scopesOf(route: string, body: unknown): string[] {
  const [method = '', path = ''] = route.split(' ');
  if (route === 'POST /droplets/:id/actions') return ['droplet:update'];
  const [, noun = ''] = nouns.find(([pattern]) => pattern.test(path)) ?? [];
  const own = `${noun}:${verbs[method]}`;
  const { tags } = (body ?? {}) as { tags?: unknown };
  // A tag comes about with the droplet that has it.
  const isTagged = route === 'POST /droplets' && Array.isArray(tags) && tags.length > 0;
  return isTagged ? [own, 'tag:create'] : [own];
}
