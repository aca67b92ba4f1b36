import type { ServerResponse } from 'node:http';

import { existing } from '../http/operation.js';
import { dateText, moneyText } from '../invoice/money.js';
import type { World } from '../world.js';

/** An invoice as a document of one page. */
export function invoicePdf(world: World, id: string, response: ServerResponse): void {
  const invoice = existing(world, 'invoice', id);
  const lines = [
    `Invoice ${invoice.number ?? ''}`,
    `Date ${dateText(invoice.effective_at ?? invoice.created)}`,
    `For ${invoice.customer_name ?? invoice.customer_email ?? String(invoice.customer)}`,
    '',
    ...invoice.lines.data.map(
      (line) => `${line.description ?? ''}   ${moneyText(line.amount, line.currency)}`,
    ),
    '',
    `Total ${moneyText(invoice.total, invoice.currency)}   Paid ${moneyText(invoice.amount_paid, invoice.currency)}`,
    'Made by a stand-in for Stripe. No money moved.',
  ];
  send(response, `Invoice-${invoice.number ?? invoice.id}`, lines);
}

export function creditNotePdf(world: World, id: string, response: ServerResponse): void {
  const note = existing(world, 'credit_note', id);
  const invoice = existing(world, 'invoice', String(note.invoice));
  send(response, `Credit-note-${note.number}`, [
    `Credit note ${note.number} for invoice ${invoice.number ?? ''}`,
    `Date ${dateText(note.effective_at ?? note.created)}`,
    '',
    ...note.lines.data.map((line) => `${line.description ?? ''}   ${moneyText(line.amount, note.currency)}`),
    'Made by a stand-in for Stripe. No money moved.',
  ]);
}

function send(response: ServerResponse, name: string, lines: readonly string[]): void {
  const document = pdf(lines);
  response.writeHead(200, {
    'content-type': 'application/pdf',
    'content-length': document.length,
    'content-disposition': `attachment; filename="${name}.pdf"`,
  });
  response.end(document);
}

/** A PDF of one page in a font that every reader has, which has the letters of Latin-1. */
function pdf(lines: readonly string[]): Buffer {
  const shown = lines.map(
    (line) => `(${line.replaceAll(/[\\()]/g, String.raw`\$&`).replaceAll(/[^\x20-\xff]/g, '?')}) Tj T*`,
  );
  const content = `BT /F1 11 Tf 16 TL 60 780 Td ${shown.join(' ')} ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
  ];
  let text = '%PDF-1.4\n';
  const places = objects.map((object, index) => {
    const place = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return place;
  });
  const start = text.length;
  const table = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('');
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(text, 'latin1');
}
