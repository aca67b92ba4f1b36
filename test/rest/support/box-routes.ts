import { accepted, created, list, noContent, ok, page, route, type Route } from '#rest-compat/route.js';

/** A table that uses every verb and every option. */
export const boxRoutes: readonly Route[] = [
  route('GET', '/api/boxes', 'boxes/ListBoxes', {
    query: ['colour', 'heavy', 'min_weight', 'tags'],
    reply: page,
    omitNull: ['opened_at'],
    headers: { age: 'Age' },
  }),
  route('POST', '/api/boxes', 'boxes/PackBox', { body: 'input', reply: created }),
  route('GET', '/api/boxes/:id', 'boxes/GetBox', {
    reply: ok,
    omitNull: ['opened_at', 'parts.broken_at', 'made_by.favourite'],
  }),
  route('PUT', '/api/boxes/:id', 'boxes/ChangeBox', { body: 'input', reply: ok }),
  route('DELETE', '/api/boxes/:id', 'boxes/DropBox', { reply: noContent }),
  route('POST', '/api/boxes/seal', 'boxes/SealBoxes', { reply: accepted }),
  route('GET', '/api/things', 'boxes/ListThings', {
    query: ['kind'],
    reply: list,
    headers: { note: 'X-Note' },
  }),
  route('POST', '/api/token', 'boxes/ExchangeCode', {
    public: true,
    body: 'input',
    reply: ok,
    errors: 'oauth',
    accept: 'form',
  }),
];
