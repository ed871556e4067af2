(() => {
  const svg = document.documentElement, id = name => document.getElementById(name);
  const details = id('details'), found = id('found'), search = id('search');
  const left = 12, whole = 1176, letter = 6.65, margin = 8, close = 0.01;
  const boxes = [...id('boxes').children].map(g => {
    const rect = g.querySelector('rect'), number = name => parseFloat(rect.getAttribute(name)), title = g.querySelector('title').textContent;
    const box = { g, rect, title, name: title.slice(0, title.lastIndexOf(': ')), x: number('x'), y: number('y'), w: number('width'), text: g.querySelector('text') };
    return g.box = box;
  });
  const said = details.textContent;
  svg.classList.add('script');
  id('tools').setAttribute('visibility', 'visible');

  function place(box, x, w) {
    box.g.style.display = w > 0.3 ? '' : 'none';
    box.rect.setAttribute('x', x);
    box.rect.setAttribute('width', w);
    const letters = Math.floor((w - margin) / letter);
    if (!box.text && letters >= 3) {
      box.text = document.createElementNS('http://www.w3.org/2000/svg', 'text');
      box.text.setAttribute('y', box.y + 12);
      box.g.append(box.text);
    }
    if (!box.text) return;
    box.text.setAttribute('x', x + margin / 2);
    box.text.textContent = letters < 3 ? '' : box.name.length <= letters ? box.name : box.name.slice(0, letters - 1) + '…';
  }

  function zoom(to) {
    const scale = whole / to.w;
    for (const box of boxes) {
      const inside = box.x >= to.x - close && box.x + box.w <= to.x + to.w + close;
      const around = box.y < to.y && box.x <= to.x + close && box.x + box.w >= to.x + to.w - close;
      box.g.classList.toggle('above', around);
      if (around) place(box, left, whole);
      else place(box, left + (box.x - to.x) * scale, inside && box.y >= to.y ? box.w * scale : 0);
    }
  }

  function mark() {
    const wanted = search.value.toLowerCase();
    let end = 0, sum = 0;
    for (const box of boxes) {
      const hit = wanted !== '' && box.name.toLowerCase().includes(wanted);
      box.g.classList.toggle('found', hit);
      // What a found function calls is counted with it.
      if (hit && box.x >= end - close) {
        end = box.x + box.w;
        sum += box.w;
      }
    }
    found.textContent = wanted === '' ? '' : (100 * sum / whole).toFixed(2) + ' %';
  }

  const boxOf = event => event.target.closest('#boxes > g')?.box;
  svg.addEventListener('mouseover', event => { details.textContent = boxOf(event)?.title ?? said; });
  svg.addEventListener('click', event => { const box = boxOf(event); if (box) zoom(box); });
  search.addEventListener('input', mark);
  addEventListener('keydown', event => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'f') {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === 'Escape') {
      search.value = '';
      mark();
      zoom(boxes[0]);
    }
  });
})();
