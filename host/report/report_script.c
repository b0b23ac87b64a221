/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The script of the report: it sorts tables, and zooms into and searches flame graphs. */
#include "host/report/report.h"

/*
 * A click on a column's head sorts by the column, a second click in reverse. Numbers
 * sort by data-v; cells without data-v come last. Without the script, rows are in the
 * order of the documents.
 *
 * A click on a box of a flame graph zooms into it. The search marks the boxes whose names
 * contain the text, and adds up their instructions, each once; Enter zooms into the next
 * of them; Escape and the button reset both. Without the script, the graph is a picture
 * with the figures of its boxes as tool tips. Labels are cut as flame.c cuts them.
 */
const char report_script[] =
	"document.querySelectorAll('table.sort').forEach(function(t){\n"
	"var heads=t.tHead.rows[0].cells,body=t.tBodies[0];\n"
	"Array.prototype.forEach.call(heads,function(h,i){\n"
	"if(!h.textContent)return;\n"
	"var b=document.createElement('button');b.type='button';\n"
	"while(h.firstChild)b.appendChild(h.firstChild);h.appendChild(b);\n"
	"b.addEventListener('click',function(){\n"
	"var down=h.getAttribute('aria-sort')==='ascending',s=down?-1:1;\n"
	"Array.prototype.forEach.call(heads,function(o){o.removeAttribute('aria-sort')});\n"
	"h.setAttribute('aria-sort',down?'descending':'ascending');\n"
	"Array.prototype.slice.call(body.rows).sort(function(x,y){\n"
	"var p=x.cells[i],q=y.cells[i],a=p.dataset.v,c=q.dataset.v;\n"
	"if(h.classList.contains('n')){if(a===undefined||c===undefined)\n"
	"return(a===undefined)-(c===undefined);return s*(a-c)}\n"
	"return s*p.textContent.localeCompare(q.textContent)\n"
	"}).forEach(function(r){body.appendChild(r)})})})});\n"
	"document.querySelectorAll('svg.flame').forEach(function(svg){\n"
	"var width=svg.viewBox.baseVal.width,whole=+svg.dataset.insns,found=[],next=0,at=null;\n"
	"var boxes=Array.from(svg.querySelectorAll('.boxes>g'),function(g){\n"
	"var r=g.querySelector('rect'),title=g.querySelector('title').textContent;\n"
	"return{g:g,r:r,t:g.querySelector('text'),x:+r.getAttribute('x'),\n"
	"y:+r.getAttribute('y'),n:+g.dataset.n,w:g.dataset.n*width/whole,\n"
	"title:title,name:title.split(': ')[0]}});\n"
	"boxes.forEach(function(o){var m=/ [+-][\\d,]+$/.exec(o.name);\n"
	"o.plain=m?o.name.slice(0,m.index):o.name;o.sign=m?m[0][1]:''});\n"
	"function make(tag,parent,text){var e=document.createElement(tag);\n"
	"if(text)e.textContent=text;parent.appendChild(e);return e}\n"
	"var tools=document.createElement('div');tools.className='tools';\n"
	"var label=make('label',tools,'Search '),input=make('input',label);\n"
	"input.type='search';\n"
	"var reset=make('button',tools,'Reset zoom');reset.type='button';\n"
	"var out=make('output',tools);\n"
	"svg.parentNode.parentNode.insertBefore(tools,svg.parentNode);\n"
	"svg.classList.add('live');\n"
	"function fit(o,w){var n=Math.floor((w-6)/6.3);\n"
	"return o.name.length<=n?o.name:o.plain.length<=n?o.plain\n"
	":n>4?o.plain.slice(0,n-2)+'..':n>0?o.sign:''}\n"
	"function zoom(b){at=b;reset.disabled=!b;\n"
	"var from=b?b.x:0,to=b?b.x+b.w:width,k=width/(to-from);\n"
	"boxes.forEach(function(o){\n"
	"var caller=b&&o.y>b.y&&o.x<=from+.01&&o.x+o.w>=to-.01;\n"
	"var inside=(!b||o.y<=b.y)&&o.x>=from-.01&&o.x+o.w<=to+.01;\n"
	"var x=caller?0:(o.x-from)*k,w=caller?width:o.w*k;\n"
	"if(caller||inside)o.g.removeAttribute('display');\n"
	"else o.g.setAttribute('display','none');\n"
	"o.g.classList.toggle('caller',!!caller);\n"
	"o.r.setAttribute('x',x);o.r.setAttribute('width',w>.6?w-.3:w);\n"
	"o.t.setAttribute('x',x+3);o.t.textContent=fit(o,w)});\n"
	"if(b)out.textContent=b.title}\n"
	"function search(){var q=input.value.toLowerCase(),sum=0,end=0;next=0;\n"
	"found=boxes.filter(function(o){return q&&o.name.toLowerCase().includes(q)});\n"
	"boxes.forEach(function(o){var hit=found.includes(o);\n"
	"o.g.classList.toggle('hit',hit);o.g.classList.toggle('dim',q&&!hit)});\n"
	"found.slice().sort(function(a,b){return a.x-b.x||b.w-a.w}).forEach(function(o){\n"
	"if(o.x>=end-.01){sum+=o.n;end=o.x+o.w}});\n"
	"out.textContent=q?found.length+' found, '+sum.toLocaleString('en')\n"
	"+' instructions ('+(100*sum/whole).toFixed(1)+' %); Enter zooms':''}\n"
	"function clear(){input.value='';search();zoom(null)}\n"
	"input.addEventListener('input',search);\n"
	"tools.addEventListener('keydown',function(e){\n"
	"if(e.key==='Escape')clear();\n"
	"if(e.key==='Enter'&&e.target===input&&found.length)\n"
	"zoom(found[next++%found.length])});\n"
	"reset.addEventListener('click',clear);\n"
	"boxes.forEach(function(o){o.g.addEventListener('click',function(){\n"
	"zoom(at===o?null:o)})});\n"
	"reset.disabled=true});\n";

const char report_script_sha256[] = "tUo9/RA9alj8jyjU8N4hO7X8OtHV9dlph5NZ42jl/pw=";
