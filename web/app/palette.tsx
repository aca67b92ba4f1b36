import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Autocomplete, Input, Label, ListBox, ListBoxItem, SearchField } from 'react-aria-components';
import { useQuery } from 'urql';

import { FindInstancesDocument } from '../generated/graphql.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useViewer } from '../session/viewer.tsx';
import { morePages, pages } from './pages.ts';

/** Leads to every page and instance by a few letters. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const { may } = useViewer();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const q = text.trim();
  const [{ data }] = useQuery({
    query: FindInstancesDocument,
    variables: { q },
    pause: q.length < 2,
  });
  const items = useMemo(() => {
    const known = [
      ...[...pages, ...morePages].map(({ to, text: name, permission }) => ({
        to: to as string,
        name,
        permission,
      })),
      { to: '/commands/new', name: 'Send a command', permission: 'fleet.command.send' },
      { to: '/profile', name: 'Your account', permission: 'identity.account.read' },
    ];
    const found = q.length < 2 ? [] : (data?.instances.nodes ?? []);
    return [
      ...known
        .filter(({ name, permission }) => may(permission) && name.toLowerCase().includes(q.toLowerCase()))
        .map(({ to, name }) => ({ id: to, name, about: 'Page' })),
      ...found.map(({ id, name, hostname }) => ({ id: `/instances/${id}`, name, about: hostname })),
    ];
  }, [data, may, q]);
  return (
    <Dialog title="Find" isDismissable onClose={onClose}>
      <Autocomplete inputValue={text} onInputChange={setText}>
        <SearchField autoFocus>
          <Label>Page or instance</Label>
          <Input />
        </SearchField>
        <ListBox
          aria-label="Found"
          items={items}
          className="found"
          renderEmptyState={() => 'Nothing has this name.'}
          onAction={(to) => {
            onClose();
            void navigate({ to: String(to) });
          }}
        >
          {({ name, about }) => (
            <ListBoxItem textValue={name}>
              {name} <span className="quiet">{about}</span>
            </ListBoxItem>
          )}
        </ListBox>
      </Autocomplete>
    </Dialog>
  );
}
