# Draws receives a second against messages consumed under a pinned xmin.
# Lines: contender, messages consumed, rate; repeated measurements of a mark
# lie near each other and each is a dot, the line joins them in order.

function x(n) { return left + width * (log(n) - log(first)) / (log(last) - log(first)) }
function y(r) { return top + height * (1 - r / ceiling) }
function thousands(n) { return n >= 1000000 ? n / 1000000 " million" : n >= 1000 ? n / 1000 ",000" : n }
function text(px, py, anchor, s) {
	printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", px, py, anchor, s
}
function line(x1, y1, x2, y2, color) {
	printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1, y1, x2, y2, color
}

{
	n = ++points[$1]
	at[$1, n] = $2; rate[$1, n] = $3
	if ($2 > most) most = $2
	if ($3 > highest) highest = $3
}

END {
	left = 80; top = 30; width = 560; height = 300
	first = 1000
	for (last = 10000; last < most * 0.999; last *= 10);
	# the step between grid lines: 1, 2 or 5 times a power of ten
	for (step = 1; highest / step > 6; step *= (substr(step, 1, 1) == 2) ? 2.5 : 2);
	for (ceiling = step; ceiling < highest; ceiling += step);

	split("ours late skip mq", order, " ")
	name["ours"] = "decouple"; color["ours"] = "#0b6e4f"
	name["late"] = "decouple, sent with a delay"; color["late"] = "#2a7fd4"
	name["skip"] = "SKIP LOCKED"; color["skip"] = "#c77700"
	name["mq"] = "pgmq"; color["mq"] = "#b3202c"

	print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 680 440\" font-family=\"sans-serif\" font-size=\"12\">"
	print "<rect width=\"680\" height=\"440\" fill=\"white\"/>"
	text(left + width / 2, 18, "middle", "receive + delete, one consumer, while a forgotten transaction pins the xmin horizon")
	for (r = 0; r <= ceiling; r += step) {
		line(left, y(r), left + width, y(r), "#dddddd")
		text(left - 8, y(r) + 4, "end", r)
	}
	for (n = first; n <= last; n *= 10) {
		line(x(n), top, x(n), top + height, "#dddddd")
		text(x(n), top + height + 18, "middle", thousands(n))
	}
	line(left, top, left, top + height, "#333333")
	line(left, top + height, left + width, top + height, "#333333")
	text(left + width / 2, top + height + 38, "middle", "messages consumed (logarithmic)")
	printf "<text transform=\"translate(20 %d) rotate(-90)\" text-anchor=\"middle\">messages a second</text>\n", top + height / 2

	legend = left
	for (i = 1; i <= 4; i++) {
		c = order[i]
		if (!points[c]) continue
		draw(c)
		line(legend, 410, legend + 24, 410, color[c] "\" stroke-width=\"3")
		text(legend + 30, 414, "start", name[c])
		legend += 60 + 7 * length(name[c])
	}
	print "</svg>"
}

# marks in order; of several rounds at one mark the line takes the mean
function draw(c, i, j, k, path, n, sum, px) {
	for (i = 1; i <= points[c]; i++)
		printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"%s\"/>\n", x(at[c, i]), y(rate[c, i]), color[c]
	# sort by insertion: there are few
	for (i = 2; i <= points[c]; i++)
		for (j = i; j > 1 && at[c, j - 1] > at[c, j]; j--) {
			k = at[c, j]; at[c, j] = at[c, j - 1]; at[c, j - 1] = k
			k = rate[c, j]; rate[c, j] = rate[c, j - 1]; rate[c, j - 1] = k
		}
	for (i = 1; i <= points[c]; i = j) {
		n = sum = px = 0
		for (j = i; j <= points[c] && at[c, j] < at[c, i] * 1.3; j++) {
			n++; sum += rate[c, j]; px += x(at[c, j])
		}
		path = path sprintf(" %.1f,%.1f", px / n, y(sum / n))
	}
	printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", substr(path, 2), color[c]
}
