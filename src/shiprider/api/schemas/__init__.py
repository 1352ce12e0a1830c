"""What goes over the wire as JSON: the OpenAPI description, and so the web client, is made of these.

Always true: times are integers, microseconds since 1970 UTC (`*_us`); positions are degrees WGS 84;
speeds metres per second, lengths metres (the person's units are the client's affair); text in words
is in the language of the request; free text from vessels and people is data, never markup.
A file for each subject; this one imports none of them.
"""
