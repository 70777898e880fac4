# Lines "contender consumed rate" become an SVG: the rate against messages
# consumed, the latter on a logarithmic axis.
BEGIN {
	name["ours"] = "decouple"; colour["ours"] = "#0b6e4f"
	name["delayed"] = "decouple, delayed"; colour["delayed"] = "#2a9df4"
	name["skip"] = "SKIP LOCKED"; colour["skip"] = "#e08e0b"
	name["mq"] = "pgmq"; colour["mq"] = "#c1121f"
	left = 80; right = 690; top = 40; bottom = 370
}
{
	n++; who[n] = $1; x[n] = $2; y[n] = $3
	if (n == 1 || $2 < low) low = $2
	if ($2 > high) high = $2
	if ($3 > most) most = $3
}
function log10(v) { return log(v) / log(10) }
function px(v) { return left + (right - left) * (log10(v) - from) / (to - from) }
function py(v) { return bottom - (bottom - top) * v / ceiling }
function text(x, y, anchor, what) {
	printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, what
}
function line(x1, y1, x2, y2, colour) {
	printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1, y1, x2, y2, colour
}
END {
	if (n == 0) exit
	from = int(log10(low) + 1e-9); to = log10(high)
	if (to - from < 1) to = from + 1
	unit = 10 ^ int(log10(most))
	if (most / unit < 2) unit /= 5
	else if (most / unit < 5) unit /= 2
	ceiling = unit * (int(most / unit) + 1)
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 430\" font-family=\"sans-serif\" font-size=\"13\">"
	print "<rect width=\"720\" height=\"430\" fill=\"white\"/>"
	text(left, 22, "start", "Receive + delete, messages a second, while a snapshot pins xmin")
	for (v = 0; v <= ceiling + unit / 2; v += unit) {
		line(left, py(v), right, py(v), v ? "#dddddd" : "#000000")
		text(left - 8, py(v) + 4, "end", v)
	}
	for (e = from; e <= to + 1e-9; e++) {
		line(px(10 ^ e), bottom, px(10 ^ e), bottom + 6, "#000000")
		text(px(10 ^ e), bottom + 22, "middle", 10 ^ e)
	}
	line(left, top, left, bottom, "#000000")
	text((left + right) / 2, bottom + 46, "middle", "messages consumed since then (logarithmic)")
	for (i = 1; i <= n; i++) {
		points[who[i]] = points[who[i]] sprintf(" %.1f,%.1f", px(x[i]), py(y[i]))
		printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", px(x[i]), py(y[i]), colour[who[i]]
	}
	split("ours delayed skip mq", order, " ")
	for (i = 1; i <= 4; i++) {
		if (!(order[i] in points)) continue
		printf "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"%s\"/>\n", colour[order[i]], substr(points[order[i]], 2)
		printf "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"4\" fill=\"%s\"/>\n", right - 150, top + 10 + 18 * k, colour[order[i]]
		text(right - 130, top + 17 + 18 * k++, "start", name[order[i]])
	}
	print "</svg>"
}
