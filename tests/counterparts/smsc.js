// An SMSC on the npm package `smpp`, for tests of the SMPP sink against code that others wrote.
//
//   NODE_PATH=…/node_modules node smsc.js
//
// Listens on a free port of 127.0.0.1 and prints it as the first line. Then it prints one JSON
// object a line for each thing that it sees. Account: "andon" with password "secret".
// Each submit_sm is taken under the ids m1, m2, … and answered by a receipt;
// a submit to a number that ends in 8 is refused with ESME_RINVDSTADR.
// A text that starts with "echo " comes back as a message from its recipient, once it is whole.
'use strict';
const smpp = require('smpp');

const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n');
let count = 0;
const parts = new Map();

// The whole text, or undefined until all parts of it are there.
function collect(pdu) {
  const { udh, message } = pdu.short_message;
  if (!udh || udh.length === 0) return message;
  const header = udh[0];
  const [reference, total, index] = header.slice(-3);
  const key = `${pdu.destination_addr}/${reference}`;
  const known = parts.get(key) || [];
  known[index - 1] = message;
  parts.set(key, known);
  if (known.filter((part) => part !== undefined).length < total) return undefined;
  parts.delete(key);
  return known.join('');
}

function receipt(session, pdu, id) {
  session.deliver_sm({
    esm_class: 4,
    source_addr_ton: 1,
    source_addr_npi: 1,
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    receipted_message_id: id,
    message_state: 2,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2611230212 done date:2611230213 stat:DELIVRD err:000 text:`,
  }, (answer) => tell({ receipt: id, answered: answer.command_status }));
}

function echo(session, pdu, text) {
  session.deliver_sm({
    source_addr_ton: 1,
    source_addr_npi: 1,
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    short_message: text,
  }, (answer) => tell({ echoed: text, answered: answer.command_status }));
}

const server = smpp.createServer((session) => {
  session.on('error', (error) => tell({ error: error.message }));
  session.on('bind_transceiver', (pdu) => {
    const known = pdu.system_id === 'andon' && pdu.password === 'secret';
    tell({ bind: pdu.system_id, accepted: known });
    session.send(pdu.response(known ? { system_id: 'npm' } : { command_status: smpp.ESME_RINVPASWD }));
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    tell({ unbind: true });
    session.send(pdu.response());
    session.close();
  });
  session.on('submit_sm', (pdu) => {
    if (pdu.destination_addr.endsWith('8')) {
      session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
      return;
    }
    count += 1;
    const id = `m${count}`;
    session.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery & 1) receipt(session, pdu, id);
    const text = collect(pdu);
    if (text === undefined) return;
    tell({ text, to: pdu.destination_addr, coding: pdu.data_coding, validity: String(pdu.validity_period) });
    if (text.startsWith('echo ')) echo(session, pdu, text.slice(5));
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
