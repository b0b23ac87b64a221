/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The style sheet of the report, and the script that sorts its tables. */
#include "host/report/report.h"

/* Colours are var(--c0), var(--c1), ... in the order of enum color. */
const char report_css[] =
	"*{box-sizing:border-box}\n"
	"html{background:var(--c5);color:var(--c0);font:16px/1.5 system-ui,sans-serif;"
	"-webkit-text-size-adjust:100%}\n"
	"body{max-width:92rem;margin:0 auto;padding:1rem clamp(.8rem,3vw,2.5rem) 4rem}\n"
	"h1{font-size:1.7rem;line-height:1.2;margin:.6rem 0 0}\n"
	"h2{font-size:1.3rem;margin:2.6rem 0 .6rem;padding-top:.6rem;"
	"border-top:1px solid var(--c3)}\n"
	"h3{font-size:1.05rem;margin:1.6rem 0 .3rem}\n"
	"p,dl,ul,ol{margin:.4rem 0 .8rem;max-width:52rem}\n"
	"header p,small,.soft,caption{color:var(--c1)}\n"
	"a{color:var(--c6)}\n"
	"nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;list-style:none;"
	"max-width:none}\n"
	".cards{display:grid;gap:.8rem;grid-template-columns:"
	"repeat(auto-fill,minmax(min(100%,21rem),1fr))}\n"
	".card{background:var(--c4);border:1px solid var(--c3);border-radius:.5rem;"
	"padding:.7rem .9rem}\n"
	".card h3{margin:0 0 .2rem}\n.card p{margin:.2rem 0}\n"
	".tag{display:inline-block;border:1px solid var(--c2);border-radius:1rem;"
	"padding:0 .55rem;font-size:.8rem;margin-right:.3rem}\n"
	".worse{color:var(--c9)}\n.better{color:var(--c6)}\n"
	".scroll{overflow-x:auto;max-width:100%;border:1px solid var(--c3);"
	"border-radius:.3rem}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
	"caption{text-align:left;padding:.3rem .6rem}\n"
	"th,td{padding:.22rem .6rem;text-align:left;vertical-align:baseline}\n"
	"thead .n{white-space:normal}\n"
	"thead th{border-bottom:1px solid var(--c2);vertical-align:bottom;"
	"background:var(--c5)}\n"
	"tbody tr:nth-child(even){background:var(--c4)}\n"
	"tbody th{font-weight:inherit;position:sticky;left:0;background:var(--c5)}\n"
	"tbody tr:nth-child(even) th{background:var(--c4)}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	"td small,.v,tbody th{white-space:nowrap}\n"
	"th button{font:inherit;color:inherit;background:none;border:0;padding:0;"
	"cursor:pointer;text-align:inherit}\n"
	"th[aria-sort=ascending] button::after{content:' \\25b2'}\n"
	"th[aria-sort=descending] button::after{content:' \\25bc'}\n"
	"figure{margin:1rem 0;overflow-x:auto;border:1px solid var(--c3);"
	"border-radius:.3rem}\n"
	"figure svg{display:block;width:100%;min-width:44rem;height:auto}\n"
	"details{margin:.5rem 0}\nsummary{cursor:pointer}\n"
	"dt{font-weight:600}\ndd{margin:0 0 .4rem 1.2rem}\n"
	"code{font-size:.92em;overflow-wrap:anywhere}\n"
	"@media (max-width:36rem){table{font-size:.82rem}th,td{padding:.2rem .4rem}"
	"h1{font-size:1.4rem}}\n"
	"@media print{nav{display:none}section{break-inside:auto}figure,tr{"
	"break-inside:avoid}.scroll,figure{overflow:visible}figure svg{min-width:0}"
	"table{font-size:.7rem}th,td{padding:.15rem .3rem}td small{white-space:normal}}\n";

/*
 * A click on a column's head sorts by the column, a second click in reverse. Numbers
 * sort by data-v; cells without data-v come last. Without the script, rows are in the
 * order of the documents.
 */
const char report_script[] =
	"document.querySelectorAll('table.sort').forEach(function(t){\n"
	"var heads=t.tHead.rows[0].cells,body=t.tBodies[0];\n"
	"Array.prototype.forEach.call(heads,function(h,i){\n"
	"var b=document.createElement('button');b.type='button';\n"
	"while(h.firstChild)b.appendChild(h.firstChild);h.appendChild(b);\n"
	"b.addEventListener('click',function(){\n"
	"var down=h.getAttribute('aria-sort')==='ascending',s=down?-1:1;\n"
	"Array.prototype.forEach.call(heads,function(o){o.removeAttribute('aria-sort')});"
	"\n"
	"h.setAttribute('aria-sort',down?'descending':'ascending');\n"
	"Array.prototype.slice.call(body.rows).sort(function(x,y){\n"
	"var p=x.cells[i],q=y.cells[i],a=p.dataset.v,c=q.dataset.v;\n"
	"if(h.className==='n'){if(a===undefined||c===undefined)"
	"return(a===undefined)-(c===undefined);return s*(a-c)}\n"
	"return s*p.textContent.localeCompare(q.textContent)\n"
	"}).forEach(function(r){body.appendChild(r)})})})});\n";

const char report_script_sha256[] = "kMrBCnsnb1ExBtjVK1t9u4+VnI3XLMqDOIDo8Ny7MYw=";
