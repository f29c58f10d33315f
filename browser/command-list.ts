// The list of all commands: a page at a time, so that ten thousand cost nothing.

const PAGE = 100;

/** Builds the list into the page's #command-list. Text goes in as text only. */
function listCommands(report: ReportData): void {
  const container = byId('command-list');
  const { commands, outcomes, hosts } = report;
  let shown: number[] = [];
  let page = 0;

  const filter = document.createElement('input');
  filter.type = 'search';
  filter.placeholder = 'part of a name, reason or host';
  filter.setAttribute('aria-label', 'Only commands with');
  const outcome = document.createElement('select');
  outcome.setAttribute('aria-label', 'Only outcome');
  for (const name of ['all outcomes', ...outcomes]) outcome.add(new Option(name));
  const order = document.createElement('select');
  order.setAttribute('aria-label', 'Order');
  for (const name of ['by start', 'slowest first']) order.add(new Option(name));
  const back = button('Back', () => show(page - 1));
  const on = button('Next', () => show(page + 1));
  const place = document.createElement('span');
  place.setAttribute('aria-live', 'polite');
  const controls = document.createElement('div');
  controls.className = 'controls';
  controls.append(filter, outcome, order, back, on, place);

  const table = document.createElement('table');
  table.setAttribute('aria-label', 'All commands');
  const head = table.createTHead().insertRow();
  for (const title of ['number', 'command', 'outcome', 'host', 'reason', 'at', 'took']) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = title;
    if (title === 'at' || title === 'took' || title === 'number') cell.className = 'number';
    head.append(cell);
  }
  const rows = table.createTBody();
  const scroll = document.createElement('div');
  scroll.className = 'scroll';
  scroll.append(table);
  container.replaceChildren(controls, scroll);

  for (const control of [filter, outcome, order]) control.addEventListener('input', choose);
  choose();

  function choose(): void {
    const wanted = filter.value.toLowerCase();
    const only = outcome.selectedIndex - 1;
    shown = commands.name.map((_, at) => at);
    if (only >= 0) shown = shown.filter((at) => commands.outcome[at] === only);
    if (wanted !== '') shown = shown.filter((at) => wordsOf(at).includes(wanted));
    if (order.selectedIndex === 1) shown = shown.toSorted((a, b) => took(b) - took(a));
    show(0);
  }

  function wordsOf(at: number): string {
    const host = hosts[commands.host[at] ?? 0] ?? 'this host';
    return `${commands.name[at]} ${commands.reason[at] ?? ''} ${host}`.toLowerCase();
  }

  function took(at: number): number {
    return (commands.end[at] ?? 0) - (commands.start[at] ?? 0);
  }

  function show(number: number): void {
    page = number;
    const first = page * PAGE;
    const some = shown.slice(first, first + PAGE);
    rows.replaceChildren(...some.map(rowOf));
    back.disabled = page === 0;
    on.disabled = first + PAGE >= shown.length;
    place.textContent =
      shown.length === 0 ? 'none' : `${first + 1} to ${first + some.length} of ${shown.length}`;
  }

  function rowOf(at: number): HTMLTableRowElement {
    const row = document.createElement('tr');
    const texts = [
      `${commands.id[at]}`,
      commands.name[at] ?? '',
      outcomes[commands.outcome[at] ?? 0] ?? '',
      hosts[commands.host[at] ?? 0] ?? 'this host',
      commands.reason[at] ?? '',
      seconds(commands.start[at] ?? 0),
      seconds(took(at)),
    ];
    for (const [column, text] of texts.entries()) {
      const cell = row.insertCell();
      cell.textContent = text;
      if (column === 0 || column > 4) cell.className = 'number';
    }
    return row;
  }
}

function button(title: string, onClick: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = title;
  made.addEventListener('click', onClick);
  return made;
}
